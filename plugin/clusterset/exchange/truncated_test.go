package exchange

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// cuts are what becomes of a reply with 120 addresses on its way, and how many of them
// are left whole.
var cuts = []struct {
	name   string
	change func([]byte) []byte
	whole  int
}{
	{"inside an address", clustertest.CutAt(509), 28},
	{"inside a record's header", clustertest.CutAt(wire.HeaderLen + 35 + 5), 0},
	{"between two records", clustertest.CutAt(wire.HeaderLen + 35 + 16*31), 31},
	{"behind the question", clustertest.CutAt(wire.HeaderLen + 35), 0},
	{"inside the question", clustertest.CutAt(wire.HeaderLen + 10), 0},
	{"behind the header", clustertest.CutAt(wire.HeaderLen), 0},
	{"counts that promise more", func(b []byte) []byte { b[7]++; return b }, 120},
	{"counts of another section", func(b []byte) []byte { b[9], b[11] = 7, 9; return b }, 120},
}

// TestCutReply: of a datagram that is cut, whatever its header says, the whole is asked
// for over TCP; where there is none, it goes out as truncated, never as whole.
func TestCutReply(t *testing.T) {
	t.Parallel()
	reply := clustertest.Addresses(120)
	for _, cut := range cuts {
		for _, tc := range []bool{false, true} {
			change := cut.change
			if tc {
				change = clustertest.WithTC(change)
			}
			t.Run(fmt.Sprintf("%s, TC %v", cut.name, tc), func(t *testing.T) {
				t.Parallel()
				withTCP := clustertest.ServeRaw(t, clustertest.As(reply, change), clustertest.As(reply, clustertest.AsIs))
				c, _ := newTestClient(t, Options{}, withTCP.Addr)
				m, err := askSize(t, c, DatagramSize, false)
				if err != nil || m.Truncated || len(m.Answer) != 120 {
					t.Errorf("with TCP: %v, %v", m, err)
				}
				m, err = askSize(t, c, dns.MinMsgSize, false) // the client can't take more
				wantTruncated(t, "512 bytes", m, err, cut.whole)

				without := clustertest.ServeRaw(t, clustertest.As(reply, change), clustertest.NoTCP)
				c, _ = newTestClient(t, Options{}, without.Addr)
				for _, size := range []uint16{DatagramSize, MaxSize} {
					m, err = askSize(t, c, size, false)
					wantTruncated(t, "without TCP", m, err, cut.whole)
				}
				m, err = askSize(t, c, DatagramSize, true)
				if cut.whole == 0 { // says nothing to a client that is on a stream
					wantReason(t, err, BadReply)
					return
				}
				wantTruncated(t, "a client over TCP", m, err, cut.whole)
			})
		}
	}
}

func wantTruncated(t *testing.T, what string, m *dns.Msg, err error, records int) {
	t.Helper()
	if err != nil || !m.Truncated || len(m.Answer) != records {
		t.Errorf("%s: %v, %v; want %d records, truncated", what, m, err, records)
	}
}

// TestCutOverStream: over a stream nothing is cut on its way, so that such a reply is the
// upstream's failure; the next one answers.
func TestCutOverStream(t *testing.T) {
	t.Parallel()
	reply := clustertest.Addresses(120)
	for _, cut := range cuts {
		for _, tc := range []bool{false, true} {
			if cut.whole == 0 && tc && len(cut.change(make([]byte, 2000))) < wire.HeaderLen+35 {
				continue // not known as a reply to the question: waited past
			}
			change := cut.change
			if tc {
				change = clustertest.WithTC(change)
			}
			t.Run(fmt.Sprintf("%s, TC %v", cut.name, tc), func(t *testing.T) {
				t.Parallel()
				bad, good := clustertest.ServeRaw(t, clustertest.As(reply, change), clustertest.As(reply, change)), clustertest.ServeRaw(t, clustertest.As(reply, clustertest.AsIs), clustertest.As(reply, clustertest.AsIs))
				c := newStreamClient(t, bad.Addr, good.Addr)
				c.turn.Store(1)
				m, err := askSize(t, c, DatagramSize, true)
				if err != nil || m.Truncated || len(m.Answer) != 120 {
					t.Errorf("%v, %v", m, err)
				}
				alone := newStreamClient(t, bad.Addr)
				if m, err := askSize(t, alone, DatagramSize, true); err == nil {
					t.Errorf("alone: %v", m)
				}
			})
		}
	}
}

func newStreamClient(t *testing.T, addrs ...netip.AddrPort) *Client {
	t.Helper()
	return newClientOf(t, model.TCP, nil, addrs...)
}

func newClientOf(t *testing.T, scheme model.Scheme, credentials *transport.TLSConfig, addrs ...netip.AddrPort) *Client {
	t.Helper()
	c, _ := newTestClient(t, Options{})
	c.Close()
	member := *c.member
	for _, addr := range addrs {
		member.DNS = append(member.DNS, model.Upstream{Scheme: scheme, Addr: addr})
	}
	options := c.options
	options.TLS, options.Metrics, options.Timeout = credentials, testMetrics(), 20*time.Second // a busy machine
	c = New(&member, options)
	t.Cleanup(c.Close)
	return c
}

// TestCutBoth: the reply over TCP is cut as well.
func TestCutBoth(t *testing.T) {
	reply := clustertest.Addresses(120)
	s := clustertest.ServeRaw(t, clustertest.As(reply, clustertest.CutAt(509)), clustertest.As(reply, clustertest.CutAt(509)))
	c, _ := newTestClient(t, Options{}, s.Addr)
	m, err := askSize(t, c, DatagramSize, false)
	wantTruncated(t, "over UDP", m, err, 28)
	if m, err := askSize(t, c, DatagramSize, true); err == nil {
		t.Errorf("over TCP: %v", m)
	}
}

// TestLongerThanRead: a datagram that is longer than what is read of one is cut by us.
func TestLongerThanRead(t *testing.T) {
	for records, whole := range map[int]bool{253: true, 254: false, 380: false} { // 4,094, 4,110 and 6,126 bytes
		reply := clustertest.Addresses(records)
		s := clustertest.ServeRaw(t, clustertest.As(reply, clustertest.AsIs), clustertest.As(reply, clustertest.AsIs))
		c, _ := newTestClient(t, Options{}, s.Addr)
		m, err := askSize(t, c, DatagramSize, false)
		if err != nil || m.Truncated || len(m.Answer) != records || (s.TCP.Load() == 0) != whole {
			t.Errorf("%d: %d records, TC %v, %v, %d over TCP", records, len(m.Answer), m.Truncated, err, s.TCP.Load())
		}
		alone := clustertest.ServeRaw(t, clustertest.As(reply, clustertest.AsIs), clustertest.NoTCP)
		c, _ = newTestClient(t, Options{}, alone.Addr)
		if m, err := askSize(t, c, DatagramSize, false); err != nil || m.Truncated == whole {
			t.Errorf("%d, without TCP: TC %v, %v", records, m.Truncated, err)
		}
	}
	reply := clustertest.Addresses(253) // cut exactly between two records, where reading ends
	s := clustertest.ServeRaw(t, clustertest.As(reply, func(b []byte) []byte { return append(b, make([]byte, 100)...) }), clustertest.As(reply, clustertest.AsIs))
	c, _ := newTestClient(t, Options{}, s.Addr)
	if m, err := askSize(t, c, DatagramSize, false); err != nil || m.Truncated || s.TCP.Load() != 1 {
		t.Errorf("garbage that isn't read: %v, %v", m, err)
	}
}

// TestTrailingGarbage: bytes behind the last record are ignored, as BIND and Unbound do.
func TestTrailingGarbage(t *testing.T) {
	reply := clustertest.Addresses(3)
	garbage := func(b []byte) []byte { return append(b, "garbage"...) }
	s := clustertest.ServeRaw(t, clustertest.As(reply, garbage), clustertest.As(reply, garbage))
	c, _ := newTestClient(t, Options{}, s.Addr)
	for _, tcp := range []bool{false, true} {
		if m, err := askSize(t, c, DatagramSize, tcp); err != nil || m.Truncated || len(m.Answer) != 3 {
			t.Errorf("TCP %v: %v, %v", tcp, m, err)
		}
	}
}

// TestNoStream: a client over TCP gets the answer of an upstream that speaks UDP alone,
// with as much as goes; that there is no stream is remembered.
func TestNoStream(t *testing.T) {
	t.Parallel()
	for name, tcp := range map[string]clustertest.RawAnswers{"refused": clustertest.NoTCP, "silent": clustertest.SilentTCP, "closes": clustertest.ClosesTCP} {
		for _, records := range []int{1, 70, 200, 400} {
			t.Run(fmt.Sprintf("%s, %d records", name, records), func(t *testing.T) {
				t.Parallel()
				s := clustertest.ServeRaw(t, clustertest.Fitting(clustertest.Addresses(records)), tcp)
				c, _ := newTestClient(t, Options{}, s.Addr)
				for range 2 {
					m, err := askSize(t, c, DatagramSize, true)
					if err != nil {
						t.Fatal(err)
					}
					if m.Truncated != (records == 400) || len(m.Answer) == 0 || (len(m.Answer) == records) == m.Truncated {
						t.Fatalf("%d records, TC %v", len(m.Answer), m.Truncated)
					}
				}
				if sizes := s.Sizes(); !slices.Contains(sizes, MaxSize) {
					t.Errorf("asked for %v", sizes)
				}
				clustertest.WaitFor(t, func() bool { return c.upstreams[0].streaming.until.Load() != 0 })
				if c.upstreams[0].health.down.Load() {
					t.Error("down")
				}
			})
		}
	}
}

// TestDatagramSize: nobody is asked for more than comes through at first; what is larger
// comes over TCP, though the link loses every packet above 1,400 bytes.
func TestDatagramSize(t *testing.T) {
	reply := clustertest.Fitting(clustertest.Addresses(200))
	lossy := func(query []byte) [][]byte {
		replies := reply(query)
		if len(replies) == 0 || len(replies[0]) > 1400 {
			return nil
		}
		return replies
	}
	s := clustertest.ServeRaw(t, lossy, clustertest.As(clustertest.Addresses(200), clustertest.AsIs))
	c, _ := newTestClient(t, Options{}, s.Addr)
	clustertest.Tries(t, func() error { // a busy machine has some sent again
		before := len(s.Sizes())
		for _, size := range []uint16{DatagramSize, 1400, MaxSize} {
			m, err := askSize(t, c, size, false)
			if err != nil || m.Truncated || len(m.Answer) != 200 {
				t.Errorf("%d: %v, %v", size, m, err)
			}
		}
		if sizes := s.Sizes()[before:]; slices.Max(sizes) > DatagramSize || len(sizes) != 3 {
			return fmt.Errorf("asked for %v", sizes)
		}
		return nil
	})
}

// TestWide: where there is no TCP, a client that takes more over UDP gets it.
func TestWide(t *testing.T) {
	s := clustertest.ServeRaw(t, clustertest.Fitting(clustertest.Addresses(200)), clustertest.NoTCP)
	clustertest.Tries(t, func() error { // a busy machine has some sent again
		before := len(s.Sizes())
		c, _ := newTestClient(t, Options{}, s.Addr)
		m, err := askSize(t, c, MaxSize, false)
		if err != nil || m.Truncated || len(m.Answer) != 200 {
			t.Errorf("4096: %v, %v", m, err)
		}
		m, err = askSize(t, c, DatagramSize, false)
		if err != nil || !m.Truncated {
			t.Errorf("1232: %v, %v", m, err)
		}
		if sizes := s.Sizes()[before:]; !slices.Equal(sizes, []uint16{DatagramSize, MaxSize, DatagramSize}) {
			return fmt.Errorf("asked for %v", sizes)
		}
		return nil
	})
}

// TestTruncatedElsewhere: a client over TCP gets the whole from the upstream that has it,
// though the other one gives a part over UDP and nothing over TCP.
func TestTruncatedElsewhere(t *testing.T) {
	t.Parallel()
	part := clustertest.As(clustertest.Addresses(120), clustertest.WithTC(clustertest.CutAt(wire.HeaderLen+35)))
	half := clustertest.RawAnswers(func(query []byte) [][]byte {
		return [][]byte{clustertest.CutAt(60)(clustertest.Addresses(120)(query)), nil}
	})
	for name, tcp := range map[string]clustertest.RawAnswers{"refused": clustertest.NoTCP, "silent": clustertest.SilentTCP, "closes": clustertest.ClosesTCP, "half": half} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad, good := clustertest.ServeRaw(t, part, tcp), clustertest.ServeRaw(t, clustertest.Fitting(clustertest.Addresses(120)), clustertest.As(clustertest.Addresses(120), clustertest.AsIs))
			c, _ := newTestClient(t, Options{}, bad.Addr, good.Addr)
			c.upstreams[0].streaming.remember(time.Now())
			for range 6 {
				c.turn.Store(1)
				m, err := askSize(t, c, DatagramSize, true)
				if err != nil || m.Truncated || len(m.Answer) != 120 {
					t.Fatalf("%v, %v", m, err)
				}
				if m, err := askSize(t, c, DatagramSize, false); err != nil || len(m.Answer) != 120 && !m.Truncated {
					t.Fatalf("over UDP: %v, %v", m, err)
				}
			}
		})
	}
}
