package discovery

import (
	"errors"
	"fmt"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Status returns the state of the feed's source. It waits for nobody.
func (f *Feed[T]) Status() status.Document { return *f.status.Load() }

// setError sets what is wrong with the source of a feed that has no other status.
func (f *Feed[T]) setError(err error) {
	next := f.Status()
	next.Read = err == nil
	setError(&next, err)
	f.status.Store(&next)
}

// setError sets what is wrong now, which may be nothing.
func setError(s *status.Document, err error) {
	switch {
	case err == nil:
		s.Error, s.ErrorSince = "", time.Time{}
	case s.Error != quoted.Ends(err.Error(), maxError):
		s.Error, s.ErrorSince = quoted.Ends(err.Error(), maxError), time.Now()
	}
}

// maxFindings is how many findings a status has.
const maxFindings = 20

// setParsed sets what is wrong with the documents that were read.
func setParsed(s *status.Document, p *document.Parsed) {
	s.Findings = nil
	for _, f := range p.Findings[:min(maxFindings, len(p.Findings))] {
		s.Findings = append(s.Findings, f.Cut())
	}
	all := p.More + len(p.Findings)
	s.MoreFindings = all - len(s.Findings)
	switch {
	case p.Set != nil:
		setError(s, nil)
	case all == 1:
		setError(s, errors.New(p.Findings[0].String()))
	default:
		setError(s, fmt.Errorf("%s; and %d more", p.Findings[0], all-1))
	}
}
