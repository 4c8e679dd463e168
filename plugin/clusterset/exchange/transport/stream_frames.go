package exchange

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"syscall"
	"time"
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
			_ = conn.SetReadDeadline(time.Now().Add(streamHeld)) // closed before
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
	for len(s.queue) == 0 && !s.mute && s.err == nil {
		s.more.Wait()
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	if s.mute || s.err != nil {
		return nil
	}
	frames := s.queue
	s.queue = spare
	return frames
}

// read is the reader: it hands each reply to the call that waits for it. It ends
// with the connection.
func (s *streamConn) read(conn net.Conn) error {
	r := bufio.NewReaderSize(conn, MaxSize)
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
		if n > MaxSize {
			large := make([]byte, n)
			into = &large
		}
		*into = (*into)[:n]
		if _, err := io.ReadFull(r, *into); err != nil {
			return inFrame(err)
		}
		taken, err := s.take(into)
		if err != nil {
			return err
		}
		if taken && into == reply {
			reply = buffers.Get().(*[]byte)
		}
	}
}

// frame reads the head of a frame, and gives the length of the message that
// follows. It is 0 when nobody waits for that: then it has been passed over.
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
	if n >= headerLen {
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
	return 0, s.heard(false)
}

// take is deliver, and takes in that the upstream is there.
func (s *streamConn) take(reply *[]byte) (bool, error) {
	s.mu.Lock()
	c, o, why := s.match(*reply)
	s.spare = s.spare || c != nil
	err := s.heard(c != nil)
	s.mu.Unlock()
	return s.hand(c, o, why, reply), err
}

// heard takes in that a message came, which is the answer to a call or not; s.mu is
// held. What is late was asked for, and is owed. An error ends the connection.
func (s *streamConn) heard(answer bool) error {
	s.silentSince = time.Time{}
	if len(s.calls) > 0 {
		s.silentSince = time.Now()
	}
	switch {
	case answer:
		s.unasked = 0
		s.owed = max(s.owed-1, 0)
	case s.owed > 0:
		s.owed--
	default:
		s.unasked++
	}
	if s.unasked > maxUnasked {
		return errUnasked
	}
	return nil
}

// inFrame is the error of a connection that ends in the middle of a frame.
func inFrame(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// closedByPeer tells whether the upstream has closed the connection.
func closedByPeer(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// isCutShort tells whether a connection has ended though queries wait on it that it might
// have answered: closed by the upstream, or by us as it brought what nobody asked for.
func isCutShort(err error) bool { return closedByPeer(err) || errors.Is(err, errUnasked) }
