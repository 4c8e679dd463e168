package resolver

import (
	"errors"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// TestAskingIsBounded: nobody is asked while as many are as may be, and what wasn't asked isn't
// counted.
func TestAskingIsBounded(t *testing.T) {
	r := clusterset{new(Resolver)}
	r.asking.Store(maxAsking)
	q := &question.Question{Budget: question.Budget{N: question.MaxLookUps}}
	if _, err := r.askAll(t.Context(), q, make([]*members.Member, 1), nil, false); !errors.Is(err, errBusy) {
		t.Error(err)
	}
	if n := r.asking.Load(); n != maxAsking {
		t.Errorf("%d are asked", n)
	}
	if res := r.notAsked(t.Context(), q, errBusy); !res.Rare.Busy || res.Action != question.ReplyRcode {
		t.Errorf("%+v", res)
	}
}
