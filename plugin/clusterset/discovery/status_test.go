package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// untilEnd is a source that publishes nothing by itself.
func untilEnd[T any](ctx context.Context, _ *Feed[T]) { <-ctx.Done() }

// TestStatus: a source's status over its life, with the times at which things happened.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := acquire(origin{"configmap", "n/c", t.Name()}, untilEnd[Update])
		defer feed.Release()
		last := newLastGood(feed, func(Update) {})
		start := time.Now()
		at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
		good := map[string]string{"k.yaml": documentOf("c1", 1) + "- {name: c2, serviceCIDRs: [10.1.4.0/24]}\n"}
		bad := map[string]string{"k.yaml": documentOf("C1", 1) + "- {name: c2, serviceCIDRs: [x]}\n"}
		gone := errors.New("configmap n/c: not found")
		overlap := document.Finding{
			Severity: document.Warning, Key: "k.yaml", Path: "clusters[1].serviceCIDRs[0]", Value: "10.1.4.0/24",
			Message: "overlaps 10.1.0.0/16 of c1: no PTR is served for the addresses in both",
		}
		name := document.Finding{Severity: document.Error, Key: "k.yaml", Path: "clusters[0].name", Value: "C1", Message: "not one or two RFC 1123 labels (a-z, 0-9, inner '-', 63 bytes each)"}
		cidr := document.Finding{Severity: document.Error, Key: "k.yaml", Path: "clusters[1].serviceCIDRs[0]", Value: "x", Message: "not a CIDR"}
		if diff := cmp.Diff(status.Document{Source: "configmap n/c"}, feed.Status()); diff != "" {
			t.Error(diff)
		}
		for minute, step := range []struct {
			name string
			do   func() error
			want status.Document
		}{
			{"missing", func() error { return last.failed(gone) }, status.Document{Error: gone.Error(), ErrorSince: at(0)}},
			{"still missing", func() error { return last.failed(gone) }, status.Document{Error: gone.Error(), ErrorSince: at(0)}},
			{"good", func() error { return last.read(version{"10", 1}, good) },
				status.Document{Read: true, ResourceVersion: "10", Generation: 1, InForceSince: at(2), Members: 2, Hash: status.Hash(good), Findings: []document.Finding{overlap}}},
			{"the same", func() error { return last.read(version{"11", 1}, good) },
				status.Document{Read: true, ResourceVersion: "11", Generation: 1, InForceSince: at(2), Members: 2, Hash: status.Hash(good), Findings: []document.Finding{overlap}}},
			{"bad", func() error { return last.read(version{"12", 2}, bad) },
				status.Document{Read: true, ResourceVersion: "12", Generation: 2, InForceSince: at(2), Members: 2, Hash: status.Hash(good), Error: name.String() + "; and 1 more", ErrorSince: at(4), Findings: []document.Finding{name, cidr}}},
			{"as bad", func() error { return last.read(version{"13", 2}, bad) },
				status.Document{Read: true, ResourceVersion: "13", Generation: 2, InForceSince: at(2), Members: 2, Hash: status.Hash(good), Error: name.String() + "; and 1 more", ErrorSince: at(4), Findings: []document.Finding{name, cidr}}},
			{"gone", func() error { return last.failed(gone) },
				status.Document{ResourceVersion: "13", Generation: 2, InForceSince: at(2), Members: 2, Hash: status.Hash(good), Error: gone.Error(), ErrorSince: at(6)}},
			{"good again", func() error { return last.read(version{"14", 3}, good) },
				status.Document{Read: true, ResourceVersion: "14", Generation: 3, InForceSince: at(7), Members: 2, Hash: status.Hash(good), Findings: []document.Finding{overlap}}},
		} {
			_ = step.do()
			step.want.Source = "configmap n/c"
			if diff := cmp.Diff(step.want, feed.Status()); diff != "" {
				t.Errorf("%s, minute %d: %s", step.name, minute, diff)
			}
			time.Sleep(time.Minute)
		}
	})
}

// TestStatusBounded: of a document that is wrong all over, a status has some findings, cut.
func TestStatusBounded(t *testing.T) {
	feed := acquire(origin{name: t.Name()}, untilEnd[Update])
	defer feed.Release()
	const wrong = 2000
	member := "- {name: " + strings.Repeat("A", 1000) + ", serviceCIDRs: [10.1.0.0/16]}\n"
	_ = newLastGood(feed, func(Update) {}).read(version{}, map[string]string{"k.yaml": documentOf("c1", 1) + strings.Repeat(member, wrong)})
	s := feed.Status()
	if len(s.Findings) != maxFindings || s.MoreFindings != wrong-maxFindings || !strings.HasSuffix(s.Error, "; and 1999 more") {
		t.Errorf("%d findings and %d more: %s", len(s.Findings), s.MoreFindings, s.Error)
	}
	if text, err := json.Marshal(s); err != nil || len(text) > 20_000 {
		t.Errorf("%d bytes, error %v", len(text), err)
	}
}

// TestStatusWaitsForNobody: who reads a status, or the last value, doesn't wait while
// subscribers are being notified.
func TestStatusWaitsForNobody(t *testing.T) {
	feed := acquire(origin{name: t.Name()}, untilEnd[Update])
	defer feed.Release()
	notified, read := make(chan struct{}), make(chan struct{})
	_, _, cancel := feed.Subscribe(func(Update) {
		close(notified)
		<-read
	})
	published := make(chan struct{})
	go func() {
		defer close(published)
		_ = newLastGood(feed, func(Update) {}).read(version{"1", 0}, map[string]string{"k.yaml": documentOf("c1", 1)})
	}()
	<-notified
	feed.mu.Lock()
	if s := feed.Status(); s.Members != 1 || s.ResourceVersion != "1" {
		t.Errorf("%+v", s)
	}
	if last, known := feed.Last(); !known || onlyMember(last.Set) != "c1" {
		t.Errorf("%+v, %t", last, known)
	}
	feed.mu.Unlock()
	close(read)
	<-published
	cancel()
}

// TestStatusText: what a person and a program read.
func TestStatusText(t *testing.T) {
	at := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		status     status.Document
		text, json string
	}{
		{status.Document{Source: "configmap n/c"}, "configmap n/c: not read yet", `{"source":"configmap n/c","read":false,"members":0}`},
		{status.Document{Source: "kubeconfig /k", Read: true}, "kubeconfig /k: read", `{"source":"kubeconfig /k","read":true,"members":0}`},
		{status.Document{Source: "configmap n/c", Error: "not found", ErrorSince: at}, "configmap n/c: since 2026-11-26T10:00:00Z: not found",
			`{"source":"configmap n/c","read":false,"members":0,"error":"not found","errorSince":"2026-11-26T10:00:00Z"}`},
		{status.Document{Source: "configmap n/c", Read: true, ResourceVersion: "7", InForceSince: at, Members: 3}, "configmap n/c: 3 members, in force since 2026-11-26T10:00:00Z",
			`{"source":"configmap n/c","read":true,"resourceVersion":"7","inForceSince":"2026-11-26T10:00:00Z","members":3}`},
		{status.Document{Source: "configmap n/c", Read: true, InForceSince: at, Members: 3, Error: "bad", ErrorSince: at.Add(time.Hour)},
			"configmap n/c: 3 members, in force since 2026-11-26T10:00:00Z; since 2026-11-26T11:00:00Z: bad",
			`{"source":"configmap n/c","read":true,"inForceSince":"2026-11-26T10:00:00Z","members":3,"error":"bad","errorSince":"2026-11-26T11:00:00Z"}`},
	} {
		if got := tt.status.String(); got != tt.text {
			t.Errorf("%s, want %s", got, tt.text)
		}
		if got, err := json.Marshal(tt.status); err != nil || string(got) != tt.json {
			t.Errorf("%s, error %v, want %s", got, err, tt.json)
		}
	}
}

// TestStatusOfOthers: feeds of other things have a status too.
func TestStatusOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	feed, err := KubeconfigFeed(nil, model.Kubeconfig{File: path})
	do(t, err)
	defer feed.Release()
	seen := make(chan status.Document, 10)
	_, _, cancel := feed.Subscribe(func(Kubeconfig) { seen <- feed.Status() })
	defer cancel()
	if !feed.WaitUntil(time.Now().Add(soon)) {
		t.Fatal("not read")
	}
	if s := feed.Status(); s.Source != "kubeconfig "+path || s.Read || !strings.Contains(s.Error, "no such file") || s.ErrorSince.IsZero() {
		t.Errorf("%+v", s)
	}
	write(t, path, "text")
	for end := time.After(soon); ; {
		select {
		case s := <-seen:
			if s.Read && s.Error == "" && s.ErrorSince.IsZero() {
				return
			}
		case <-end:
			t.Fatalf("%+v", feed.Status())
		}
	}
}
