package transport

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Error codes of RFC 9250, section 4.3.
const (
	doqNoError          = 0
	doqRequestCancelled = 3
)

// quicSession is a session over QUIC: one connection, dialled by the first query, and a
// stream of it for each (RFC 9250). The upstream opens none, and of its reply no more is
// read than one message.
type quicSession struct {
	address netip.AddrPort
	tls     *tls.Config

	mu sync.Mutex
	// socket is the connection's own. quic-go's for DialAddr outlives the connection, which
	// would leave goroutines behind.
	socket *quic.Transport
	conn   *quic.Conn
	err    error // of the dial
}

func newQUICSession(address model.Upstream, config *TLSConfig) *quicSession {
	s := &quicSession{address: address.Addr, tls: config.forUpstream(address)}
	s.tls.NextProtos = []string{"doq"}
	return s
}

// connect returns the connection. Requests that come while it is being dialled wait for it.
func (s *quicSession) connect(ctx context.Context) (*quic.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil && s.err == nil {
		s.conn, s.err = s.dial(ctx)
	}
	return s.conn, s.err
}

func (s *quicSession) dial(ctx context.Context) (*quic.Conn, error) {
	conn, err := net.ListenUDP("udp", nil)
	if err != nil {
		return nil, err
	}
	s.socket = &quic.Transport{Conn: conn}
	return s.socket.Dial(ctx, net.UDPAddrFromAddrPort(s.address), s.tls, &quic.Config{
		HandshakeIdleTimeout:       HandshakeTimeout,
		MaxIdleTimeout:             streamIdle,
		MaxIncomingStreams:         -1,
		MaxIncomingUniStreams:      -1,
		InitialStreamReceiveWindow: frameLen + dns.MaxMsgSize,
		MaxStreamReceiveWindow:     frameLen + dns.MaxMsgSize,
		MaxConnectionReceiveWindow: streamConnsMax * dns.MaxMsgSize,
	})
}

// ask implements session.
func (s *quicSession) ask(ctx context.Context, query []byte) (reply *[]byte, local net.Addr, err error) {
	conn, err := s.connect(ctx)
	if _, silent := errors.AsType[*quic.IdleTimeoutError](err); silent {
		return nil, nil, ErrNoReply
	}
	if err != nil {
		return nil, nil, quicError(ctx, err)
	}
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, conn.LocalAddr(), quicError(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() {
		stream.CancelWrite(doqRequestCancelled)
		stream.CancelRead(doqRequestCancelled)
	})
	defer stop()
	reply, err = askOn(stream, query)
	stream.CancelRead(doqNoError) // whatever else there is
	return reply, conn.LocalAddr(), quicError(ctx, err)
}

// askOn sends the query and the stream's end, as RFC 9250, section 4.2, has it, and
// reads one message.
func askOn(stream *quic.Stream, query []byte) (*[]byte, error) {
	framed := binary.BigEndian.AppendUint16(make([]byte, 0, frameLen+len(query)), uint16(len(query)))
	if _, err := stream.Write(append(framed, query...)); err != nil {
		return nil, err
	}
	if err := stream.Close(); err != nil {
		return nil, err
	}
	var head [frameLen]byte
	if _, err := io.ReadFull(stream, head[:]); err != nil {
		return nil, inMessage(err)
	}
	reply := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err := io.ReadFull(stream, reply)
	return &reply, inMessage(err)
}

// inMessage returns the error of a stream that ends before its message does: the connection
// hasn't ended.
func inMessage(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return wire.ErrMalformed
	}
	return err
}

// quicError returns the error of a request: io.EOF where the upstream has closed, or
// forgotten, the connection.
func quicError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, is := errors.AsType[*quic.HandshakeTimeoutError](err); is {
		return ErrNoReply
	}
	_, isIdle := errors.AsType[*quic.IdleTimeoutError](err)
	_, isReset := errors.AsType[*quic.StatelessResetError](err)
	_, isClosed := errors.AsType[*quic.ApplicationError](err)
	transport, is := errors.AsType[*quic.TransportError](err)
	if isIdle || isReset || isClosed || is && transport.ErrorCode == quic.NoError {
		return fmt.Errorf("%w: %w", io.EOF, err)
	}
	return err
}

// usable implements session.
func (s *quicSession) usable() bool {
	if !s.mu.TryLock() { // it is being dialled
		return true
	}
	defer s.mu.Unlock()
	return s.err == nil && (s.conn == nil || s.conn.Context().Err() == nil)
}

// close implements session.
func (s *quicSession) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.CloseWithError(doqNoError, "") // closed before
	}
	if s.socket != nil {
		_ = s.socket.Close()
		_ = s.socket.Conn.Close() // closed before
	}
}
