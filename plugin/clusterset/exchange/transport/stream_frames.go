package transport

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
)

// A frame is a message with its length before it: RFC 1035, section 4.2.2.
const frameLen = 2

// queueKept is the most that is kept of a queue, in bytes, for the next one.
const queueKept = 16 << 10

// write is the writer: what was queued during one write is the next one. It leaves
// errors to the reader, which may have the reason: a server that doesn't like our
// certificate says so and closes.
func (s *streamConn) write(conn net.Conn) {
	var spare []byte
	for {
		frames := s.queued(spare)
		if frames == nil {
			return
		}
		if _, err := conn.Write(frames); err != nil {
			_ = conn.SetReadDeadline(time.Now().Add(StreamStall)) // closed before
			return
		}
		spare = nil
		if cap(frames) <= queueKept {
			spare = frames[:0]
		}
	}
}

// queued waits for something to write, and leaves spare in its place. It is nil at
// the end. The query that comes first wakes the writer, which lets those run that
// are about to ask as well, often because one read has brought the replies they
// waited for: a system call for all of them halves what a query costs.
func (s *streamConn) queued(spare []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && !s.closing && s.err == nil {
		s.wakeup.Wait()
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	if s.closing || s.err != nil {
		return nil
	}
	frames := s.queue
	s.queue = spare
	return frames
}

// read is the reader. It ends with the connection.
func (s *streamConn) read(conn net.Conn) error {
	r := bufio.NewReaderSize(conn, wire.MaxSize)
	reply := buffers.Get().(*[]byte)
	defer func() { buffers.Put(reply) }()
	for {
		n, err := s.frame(r)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		into := reply
		if n > wire.MaxSize {
			large := make([]byte, n)
			into = &large
		}
		*into = (*into)[:n]
		if _, err := io.ReadFull(r, *into); err != nil {
			return inFrame(err)
		}
		delivered, err := s.deliver(into)
		if err != nil {
			return err
		}
		if delivered && into == reply {
			reply = buffers.Get().(*[]byte)
		}
	}
}

// frame reads the head of a frame, and returns the length of the message that
// follows, 0 when it has been passed over as nothing is in flight under its id.
func (s *streamConn) frame(r *bufio.Reader) (n int, err error) {
	head, err := r.Peek(frameLen)
	if err != nil {
		if len(head) > 0 {
			err = inFrame(err)
		}
		return 0, err
	}
	n = int(binary.BigEndian.Uint16(head))
	why := DropShort
	if n >= wire.HeaderLen {
		if head, err = r.Peek(frameLen + 2); err != nil {
			return 0, inFrame(err)
		}
		if s.expects(binary.BigEndian.Uint16(head[frameLen:])) {
			_, err = r.Discard(frameLen)
			return n, err
		}
		why = DropUnknown
	}
	if _, err = r.Discard(frameLen + n); err != nil {
		return 0, inFrame(err)
	}
	s.dropped(why)
	s.mu.Lock()
	defer s.mu.Unlock()
	return 0, s.received(false)
}

// deliver is pending's, and an error ends the connection.
func (s *streamConn) deliver(reply *[]byte) (delivered bool, err error) {
	s.mu.Lock()
	m, o, why := s.match(*reply)
	s.mayRedial = s.mayRedial || m != nil
	err = s.received(m != nil)
	s.mu.Unlock()
	return s.hand(m, o, why, reply), err
}

// received counts a message that came; s.mu is held. An error ends the connection.
func (s *streamConn) received(answer bool) error {
	s.silentSince = time.Time{}
	if len(s.messages) > 0 {
		s.silentSince = time.Now()
	}
	return s.unasked.add(answer)
}

// maxUnasked is how many replies to nothing may come before an answer: an
// upstream that sends them without end would be read without end.
const maxUnasked = 8

// unasked counts the replies that nothing was sent for. A late one isn't one of them.
type unasked struct {
	// sent are the messages that no reply came for yet; n are the replies to none of
	// those since the last answer.
	sent, n int
}

// add counts a reply, which is the answer to a message in flight or not. It returns
// ErrUnasked when there were too many.
func (u *unasked) add(answer bool) error {
	switch {
	case answer:
		u.n = 0
		u.sent = max(u.sent-1, 0)
	case u.sent > 0:
		u.sent--
	default:
		u.n++
	}
	if u.n > maxUnasked {
		return ErrUnasked
	}
	return nil
}

// inFrame returns the error of a connection that ends in the middle of a frame.
func inFrame(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
