package batch

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

const misbehaving = `
example:PORT {
  bind 127.0.0.1
  batch
  errors
  misbehave
  whoami
}
`

// A query that waits, whether it says so or not, that ends its goroutine or never replies
// holds up none of those that were sent with it.
func TestOthersGoOn(t *testing.T) {
	for _, word := range []string{"blocks", "waits", "exits", "never", "panics"} {
		t.Run(word, func(t *testing.T) {
			_, port := start(t, misbehaving)
			inBatches(t, "127.0.0.1:"+port)
			c := dial(t, "127.0.0.1:"+port)
			const rounds, others = 5, 30
			held := word == "blocks" || word == "waits"
			for i := range rounds {
				send(t, c, 1000+i, fmt.Sprintf("%s.%d.%s.example.", word, i, port))
				for j := range others {
					send(t, c, i*others+j, "a.example.")
				}
				got := receive(t, c, others+count(word == "panics"))
				for j := range others {
					if !got[i*others+j] {
						t.Fatalf("round %d: no reply to query %d", i, j)
					}
				}
			}
			if held {
				for i := range rounds {
					close(release(fmt.Sprintf("%s.%d.%s.example.", word, i, port)))
				}
				receive(t, c, rounds)
			}
		})
	}
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Handlers that block without saying so are found out: after some, each query has a worker of
// its own, and none waits for another.
func TestSpreads(t *testing.T) {
	_, port := start(t, misbehaving)
	s := inBatches(t, "127.0.0.1:"+port)
	c := dial(t, "127.0.0.1:"+port)
	n := 0
	for ; !s.watch.spread.Load(); n++ {
		send(t, c, n, fmt.Sprintf("blocks.%d.%s.example.", n, port))
		send(t, c, 60000, "a.example.")
		receive(t, c, 1)
	}
	if n < slowMost {
		t.Errorf("spread after %d", n)
	}
	before := testutil.ToFloat64(passedOnCount.WithLabelValues("dns://127.0.0.1:"+port, "slow"))
	for range 100 {
		send(t, c, n, fmt.Sprintf("blocks.%d.%s.example.", n, port))
		n++
	}
	send(t, c, 60000, "a.example.")
	receive(t, c, 1)
	if after := testutil.ToFloat64(passedOnCount.WithLabelValues("dns://127.0.0.1:"+port, "slow")); s.watch.spread.Load() && after != before {
		t.Errorf("%v batches were slow while queries were spread", after-before)
	}
	for i := range n {
		close(release(fmt.Sprintf("blocks.%d.%s.example.", i, port)))
	}
	receive(t, c, n)
}

// A handler may reply twice, after it has returned, or with bytes of its own.
func TestReplies(t *testing.T) {
	for word, replies := range map[string]int{"twice": 2, "late": 1, "raw": 1, "closed": 1} {
		t.Run(word, func(t *testing.T) {
			_, port := start(t, misbehaving)
			inBatches(t, "127.0.0.1:"+port)
			c := dial(t, "127.0.0.1:"+port)
			seen := map[int]int{}
			const queries, atATime = 200, 20 // no more replies than a socket has room for
			for i := 0; i < queries; i += atATime {
				for j := range atATime {
					send(t, c, i+j, word+".example.")
				}
				for range atATime * replies {
					seen[one(t, c)]++
				}
			}
			for i := range queries {
				if seen[i] != replies {
					t.Fatalf("query %d has %d replies", i, seen[i])
				}
			}
			late.Wait()
		})
	}
}

func dial(t *testing.T, to string) net.Conn {
	t.Helper()
	c, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, c net.Conn, id int, name string) {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, dns.TypeA)
	m.Id = uint16(id)
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

// receive returns the IDs of the next n replies.
func receive(t *testing.T, c net.Conn, n int) map[int]bool {
	t.Helper()
	ids := map[int]bool{}
	for range n {
		ids[one(t, c)] = true
	}
	return ids
}

func one(t *testing.T, c net.Conn) (id int) {
	t.Helper()
	b := make([]byte, dns.MaxMsgSize)
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Read(b); err != nil {
		t.Fatal(err)
	}
	return int(b[0])<<8 | int(b[1])
}
