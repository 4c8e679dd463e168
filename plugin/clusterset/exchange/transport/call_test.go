package transport

import (
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
)

// TestCallOutcomes: whatever connections do at the same time, a message has one outcome at
// the most, and nothing is left for the call's next use.
func TestCallOutcomes(t *testing.T) {
	q := pack(t, question(askedName))
	right := clustertest.Addresses(1)(q.As(wire.Usual))
	var c Call
	for round := range 3000 {
		c.Begin(q)
		var ending sync.WaitGroup
		lists := make([]pending, 1+round%MaxMessages)
		for i := range lists {
			p := &lists[i]
			*p = newPending(false, func(Drop) {})
			m := c.Add()
			m.At, m.Stream = time.Now(), true
			if err := p.add(m); err != nil || !m.InFlight() {
				t.Fatal(err)
			}
			reply := slices.Clone(right)
			binary.BigEndian.PutUint16(reply, m.id)
			ending.Go(func() { p.deliver(&reply) })
			ending.Go(func() { p.settle(m.id, nil, nil, errTest) })
			ending.Go(func() { p.close(errTest) })
		}
		seen := make(map[*Message]bool)
		for range round % (1 + len(lists)) {
			o, err := c.Wait(t.Context(), time.Hour)
			if err != nil || o.Message == nil || seen[o.Message] || o.Message.InFlight() {
				t.Fatalf("%v, %v, again: %v", o.Message, err, seen[o.Message])
			}
			seen[o.Message] = true
		}
		c.End()
		if len(c.outcomes) != 0 {
			t.Fatal("an outcome is left")
		}
		ending.Wait()
		if len(c.outcomes) != 0 {
			t.Fatal("an outcome after the end")
		}
	}
}

// TestCallTakenBack: a message that is taken back has no outcome, though a reply comes.
func TestCallTakenBack(t *testing.T) {
	q := pack(t, question(askedName))
	dropped := 0
	p := newPending(false, func(Drop) { dropped++ })
	c, m := newCall(q, time.Now())
	if err := p.add(m); err != nil {
		t.Fatal(err)
	}
	reply := clustertest.Addresses(1)(q.As(wire.Usual))
	binary.BigEndian.PutUint16(reply, m.id)
	c.End()
	if p.deliver(&reply) || dropped != 1 || p.len() != 0 || len(c.outcomes) != 0 {
		t.Errorf("%d dropped, %d pending, %d outcomes", dropped, p.len(), len(c.outcomes))
	}
}

// TestCallTicks: a tick comes when its time is over, and none is left for the next use.
func TestCallTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := pack(t, question(askedName))
		var c Call
		for range 3 {
			c.Begin(q)
			start := time.Now()
			for range 2 {
				o, err := c.Wait(t.Context(), time.Second)
				if err != nil || o.Message != nil {
					t.Fatalf("%v, %v", o.Message, err)
				}
			}
			if took := time.Since(start); took != 2*time.Second {
				t.Errorf("took %v", took)
			}
			m := c.Add()
			p := newPending(false, func(Drop) {})
			if err := p.add(m); err != nil {
				t.Fatal(err)
			}
			p.close(errTest)
			if o, err := c.Wait(t.Context(), time.Second); err != nil || o.Message != m {
				t.Fatalf("%v, %v", o.Message, err)
			}
			time.Sleep(time.Second) // its tick comes now, before the end
			c.End()
			if len(c.outcomes) != 0 {
				t.Error("a tick is left")
			}
		}
		q.Free()
	})
}
