//go:build e2e && linux

package netns

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	mathrand "math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// replyFault is what becomes of a reply, which it may change and keep.
type replyFault struct {
	// packet sends something, or nothing, to the client.
	packet func(to harness.Peer, reply []byte)
	// message does so on its connection, and is not called again before it returns;
	// gone is closed when the client has closed that.
	message func(conn net.Conn, reply []byte, gone <-chan struct{})
}

// unaltered replies are passed on.
var unaltered = altered(func(reply []byte) []byte { return reply })

// altered replies are others than the server's.
func altered(alter func(reply []byte) []byte) *replyFault {
	return &replyFault{
		packet:  func(to harness.Peer, reply []byte) { to.Send(alter(reply)) },
		message: func(conn net.Conn, reply []byte, _ <-chan struct{}) { write(conn, framed(alter(reply))) },
	}
}

// What can't be taken for an answer to what was asked.
var (
	silent    = &replyFault{packet: func(harness.Peer, []byte) {}, message: func(net.Conn, []byte, <-chan struct{}) {}}
	wrongID   = altered(func(reply []byte) []byte { reply[1] ^= 1; return reply })
	wrongName = altered(func(reply []byte) []byte { reply[headerLen+1] ^= 1; return reply })
	garbage   = altered(func(reply []byte) []byte { _, _ = rand.Read(reply); return reply })
	// forged is right, and from a port that nobody has asked.
	forged = &replyFault{
		packet:  harness.Peer.Forge,
		message: unaltered.message,
	}
)

// reordered replies overtake each other.
var reordered = delayed(func() time.Duration { return mathrand.N(10 * time.Millisecond) })

// fewLate is 5% of the replies 200 ms late.
func fewLate() *replyFault {
	var replies atomic.Uint32
	return delayed(func() time.Duration {
		if replies.Add(1)%20 == 0 {
			return 200 * time.Millisecond
		}
		return 0
	})
}

func delayed(delay func() time.Duration) *replyFault {
	return &replyFault{
		packet: func(to harness.Peer, reply []byte) {
			time.AfterFunc(delay(), func() { to.Send(reply) })
		},
		message: func(conn net.Conn, reply []byte, _ <-chan struct{}) {
			time.AfterFunc(delay(), func() { write(conn, framed(reply)) })
		},
	}
}

// repeated replies come so many times.
func repeated(times int) *replyFault {
	return &replyFault{
		packet: func(to harness.Peer, reply []byte) {
			for range times {
				to.Send(reply)
			}
		},
		message: func(conn net.Conn, reply []byte, _ <-chan struct{}) {
			write(conn, bytes.Repeat(framed(reply), times))
		},
	}
}

// withTC says over UDP that there is more over TCP, where message has its way.
func withTC(message func(conn net.Conn, reply []byte, gone <-chan struct{})) *replyFault {
	return &replyFault{
		packet: func(to harness.Peer, reply []byte) {
			reply = reply[:questionEnd(reply)]
			reply[2] |= 2             // TC: RFC 1035, section 4.1.1
			clear(reply[6:headerLen]) // no records
			to.Send(reply)
		},
		message: message,
	}
}

// What there is over TCP.
var (
	whole     = unaltered.message
	halfFrame = func(conn net.Conn, reply []byte, gone <-chan struct{}) {
		write(conn, framed(reply)[:2+len(reply)/2])
		<-gone
	}
	byteASecond = func(conn net.Conn, reply []byte, gone <-chan struct{}) {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for _, b := range framed(reply) {
			write(conn, []byte{b})
			select {
			case <-gone:
				return
			case <-tick.C:
			}
		}
	}
	// endless is the largest of frames, without an end and without a message.
	endless = func(conn net.Conn, _ []byte, _ <-chan struct{}) {
		for zeros := framed(make([]byte, dns.MaxMsgSize)); write(conn, zeros); {
		}
	}
	// huge is the largest of messages, which answers the question, and whose
	// records are none.
	huge = func(conn net.Conn, reply []byte, _ <-chan struct{}) {
		message := bytes.Repeat([]byte{0xff}, dns.MaxMsgSize)
		copy(message, reply[:questionEnd(reply)])
		write(conn, framed(message))
	}
)

// headerLen is that of a message's header: RFC 1035, section 4.1.1.
const headerLen = 12

// questionEnd is the length of a message's header and question.
func questionEnd(message []byte) int {
	end := headerLen
	for message[end] != 0 {
		end += 1 + int(message[end])
	}
	return end + 5 // the root's label, type, class
}

// framed is the message with its length before it: RFC 1035, section 4.2.2.
func framed(message []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
}

// write is false when the client has gone.
func write(conn net.Conn, b []byte) bool {
	_, err := conn.Write(b)
	return err == nil
}
