//go:build e2e && linux

package netns

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// load is clients in a cluster that ask for pods of another, no name twice:
// whoever keeps answers, the member is asked.
type load struct {
	from     *cluster
	server   string // an address
	of       *cluster
	domain   string        // of the pods' names
	udp, tcp int           // clients
	pace     time.Duration // between two questions of a client, the reply's time included
	asked    atomic.Uint32
}

// answer is what a question got; err is set when it got no reply.
type answer struct {
	question
	reply
	at   time.Time // when it was asked
	err  error
	want string // address
}

// begin has the clients ask until end, which waits for the replies to what they
// have asked and gives all answers.
func (l *load) begin(t testing.TB) (end func() answers) {
	t.Helper()
	clients := make([]answers, l.udp+l.tcp)
	done := make(chan struct{})
	var running sync.WaitGroup
	for i := range clients {
		tcp := i >= l.udp
		conn, err := l.dial(tcp)
		if err != nil {
			t.Fatal(err)
		}
		start := l.pace * time.Duration(i) / time.Duration(len(clients)) // one by one, else all at once
		running.Go(func() {
			defer conn.Close()
			clients[i] = l.client(conn, tcp, start, done)
		})
	}
	return func() answers {
		close(done)
		running.Wait()
		var all answers
		for _, one := range clients {
			all = append(all, one...)
		}
		return all
	}
}

func (l *load) dial(tcp bool) (net.Conn, error) {
	return l.from.ns.dial(question{tcp: tcp}.transport(), net.JoinHostPort(l.server, "53"), askTimeout)
}

// client asks over one connection, as a stub resolver that keeps it.
func (l *load) client(conn net.Conn, tcp bool, start time.Duration, done <-chan struct{}) (all answers) {
	next := time.NewTimer(start)
	defer next.Stop()
	for {
		select {
		case <-done:
			return all
		case <-next.C:
		}
		if over(done) { // as well, after a reply that took long
			return all
		}
		next.Reset(l.pace)
		a := l.next(tcp)
		a.at = time.Now()
		a.reply, a.err = a.over(conn)
		all = append(all, a)
	}
}

func over(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// next is a question that wasn't asked before.
func (l *load) next(tcp bool) answer {
	n := l.asked.Add(1)
	b, c, d := 50+l.of.index, n>>8&0xff, n&0xff
	return answer{
		question: question{name: fmt.Sprintf("10-%d-%d-%d.default.pod.%s", b, c, d, l.domain), qtype: dns.TypeA, tcp: tcp},
		want:     fmt.Sprintf("10.%d.%d.%d", b, c, d),
	}
}
