package member

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestPaceOfEvents: a flood of valid events is read no faster than the limiter allows.
func TestPaceOfEvents(t *testing.T) {
	const burst, each = 200, 100
	a := apitest.Start(t, true, map[string]http.HandlerFunc{apitest.ServicesPath + "?watch": apitest.Unstreamed(func(w http.ResponseWriter, r *http.Request) {
		apitest.BeginWatch(w)
		event := apitest.Event(t, "ADDED", apitest.Service("s0000"))
		for n := 0; r.Context().Err() == nil; n++ {
			if _, err := w.Write(bytes.ReplaceAll(event, []byte("s0000"), fmt.Appendf(nil, "s%04d", n%10_000))); err != nil {
				return
			}
		}
	})})
	s := startMember(t)
	s.limiter = apiclient.Limiter{Limiter: rate.NewLimiter(each*apiclient.ObjectCost, burst*apiclient.ObjectCost)}
	began := time.Now()
	s.SetCredentials(from(a), nil)
	const most = burst + each/2
	s.until("events", func() bool { n, _ := s.View().Data.Count(); return n > most })
	if took := time.Since(began); took < time.Second/2 {
		t.Errorf("%d events in %v", most, took)
	}
}

// TestPaceOfWork: changes that take long to apply leave less room for more.
func TestPaceOfWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const each, events = 200 * time.Millisecond, 10
		slow := &resources.Resource{Table: resources.Table{
			Cost: func(*model.Data, string) int { return 0 },
			Same: func(*model.Data, decode.Item) bool { return false },
			Set:  func(*model.Change, *model.Data, decode.Item) { time.Sleep(each) },
		}}
		c := apiclient.NewConns(t.Context(), apiclient.Limiter{Limiter: rate.NewLimiter(apiclient.BytesPerSecond, 16<<20)})
		i := &informer{Resource: slow, session: &session{m: startMember(t).Member, conns: c, synced: true}}
		began := time.Now()
		for range events {
			if err := (&store{&listWatch{informer: i}}).Add(decode.Item{}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 4*events*each {
			t.Errorf("%v of work took %v", events*each, took)
		}
	})
}
