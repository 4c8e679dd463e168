package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// limit bounds every waiting. What is waited for takes well under a second; a
// busy machine may need more.
const limit = 20 * time.Second

// show is the demo on its way.
type show struct {
	*output
	ctx    context.Context
	binary string
	dir    string // a folder for each server
	port   int    // the first to try

	members map[string]*server
	front   *server
	// document is the ClusterSet's, in force.
	document string

	asked, right int
}

// begin starts the members and the server in front.
func (s *show) begin() error {
	s.title("Three clusters, and one server that answers for all of them")
	for i, name := range []string{"cluster1", "cluster2", "cluster3.eu"} {
		if err := s.addServer(name, i+1); err != nil {
			return err
		}
	}
	s.document = s.expand("config/clusterset.yaml")
	front, err := s.newServer("clusterset", "127.0.0.1", "lan.", "config/Corefile")
	if err != nil {
		return err
	}
	s.front = front
	if err := s.writeDocument(s.document); err != nil {
		return err
	}
	if err := front.start(s.binary); err != nil {
		return err
	}
	for _, server := range append(s.all(), front) {
		if err := server.ready(s.ctx); err != nil {
			return err
		}
	}
	s.introduce()
	return nil
}

// introduce shows what runs.
func (s *show) introduce() {
	s.say("Each cluster has a DNS of its own, here a CoreDNS that serves cluster.local from a zone file:")
	for _, m := range s.all() {
		s.shell("dig @%s -p %d web.default.svc.cluster.local   # %s", m.host, m.port, m.name)
	}
	s.line("")
	s.say("In front, on %s, a CoreDNS with this Corefile:", s.front.address())
	s.quote(s.front.corefile())
	s.say("and this ClusterSet document, clusterset.yaml:")
	s.quote(s.document)
}

// lookUp asks for names of every kind.
func (s *show) lookUp() error {
	for _, chapter := range chapters {
		s.title(chapter.title)
		if err := s.askAll(chapter.lookups); err != nil {
			return err
		}
	}
	return nil
}

// addMember starts a fourth cluster and adds it to the document.
func (s *show) addMember() error {
	s.title("A fourth cluster joins")
	if err := s.askAll(beforeJoin); err != nil {
		return err
	}
	if err := s.addServer("cluster4", 4); err != nil {
		return err
	}
	if err := s.members["cluster4"].ready(s.ctx); err != nil {
		return err
	}
	entry := s.expand("config/cluster4.yaml")
	s.say("These lines are added to clusterset.yaml:")
	s.quote(entry)
	s.document += entry
	if err := s.writeDocument(s.document); err != nil {
		return err
	}
	took, err := s.untilRight(afterJoin[0])
	if err != nil {
		return err
	}
	s.say("No restart, no reload: its names answer %s after the file was written.", took)
	return s.askAll(afterJoin)
}

// breakDocument writes a document with mistakes, and mends it.
func (s *show) breakDocument() error {
	s.title("Somebody makes two mistakes in the document")
	entry := s.expand("config/mistake.yaml")
	s.say("These lines are added to clusterset.yaml:")
	s.quote(entry)
	before := len(s.front.log())
	if err := s.writeDocument(s.document + entry); err != nil {
		return err
	}
	if _, err := harness.Poll(s.ctx, limit, func() error { return missing(s.front.log()[before:], mistakes) }); err != nil {
		return fmt.Errorf("the server's log: %w; it says:\n%s", err, s.front.log()[before:])
	}
	s.say("The server's log names them all, with the place of each:")
	s.quote(s.front.log()[before:])
	s.say("The last good document stays in force:")
	if err := s.askAll(afterMistake); err != nil {
		return err
	}
	return s.writeDocument(s.document)
}

// missing returns an error where the text doesn't hold a part.
func missing(text string, parts []string) error {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return fmt.Errorf("no %q", part)
		}
	}
	return nil
}

// loseMember kills a member's DNS.
func (s *show) loseMember() error {
	s.title("A cluster's DNS dies")
	s.members["cluster2"].kill()
	s.say("cluster2's CoreDNS was killed.")
	if err := s.askAll(afterLoss); err != nil {
		return err
	}
	took, err := s.untilRight(onceDown[0])
	if err != nil {
		return err
	}
	s.say("clusterset went on asking by itself, and took it for down %s later. From then on no client's query is spent on it.", took)
	if err := s.askAll(onceDown); err != nil {
		return err
	}
	if took, err = s.untilRight(fromFar[0]); err != nil {
		return err
	}
	s.say("The name over all clusters goes to those that live: %s later, when cluster2's answer had reached the end of its TTL.", took)
	return s.askAll(fromFar)
}

// returnMember starts it again.
func (s *show) returnMember() error {
	s.title("It comes back")
	lost := s.members["cluster2"]
	if err := lost.start(s.binary); err != nil {
		return err
	}
	if err := lost.ready(s.ctx); err != nil {
		return err
	}
	took, err := s.untilRight(afterReturn[0])
	if err != nil {
		return err
	}
	s.say("cluster2's CoreDNS was started again. clusterset, which asks a dead one about once a second, found it back %s after it was ready.", took)
	if err := s.askAll(afterReturn); err != nil {
		return err
	}
	if _, err := s.untilRight(fromNear[0]); err != nil {
		return err
	}
	return s.askAll(fromNear)
}

func (s *show) sum() {
	text := fmt.Sprintf("%d of %d answers as they should be", s.right, s.asked)
	if s.right < s.asked {
		s.line(s.red(text))
		return
	}
	s.line(s.green(text))
}

// invite tells the reader what to try.
func (s *show) invite() {
	s.line("")
	s.title("Your turn, until Ctrl-C")
	s.shell("%s", s.dig("web.default.cluster1.lan", "A"))
	s.shell("%s", s.dig(wide, "A"))
	s.shell("%s", s.dig("_psql._tcp.db.data.cluster1.lan", "SRV"))
	s.shell("%s", s.dig("shop.default.cluster1.lan", "A"))
	s.shell("%s", s.dig("10.103.0.20", "PTR"))
	s.shell("$EDITOR %s", s.documentPath())
	s.shell("tail -f %s", s.front.path("log"))
}

// untilRight asks until the answer is as it should be, and tells how long that
// took. It is no error that it never is: the show asks the same next, and tells.
func (s *show) untilRight(l lookup) (time.Duration, error) {
	took, err := harness.Poll(s.ctx, limit, func() error {
		a, err := s.exchange(l)
		if err == nil && !l.matches(a) {
			err = errWrong
		}
		return err
	})
	if _, late := errors.AsType[*harness.LateError](err); late {
		err = nil
	}
	return took.Round(time.Millisecond), err
}

func (s *show) documentPath() string { return s.front.path("clusterset.yaml") }

// writeDocument replaces the document in one step, as an editor or a mounted
// ConfigMap does.
func (s *show) writeDocument(text string) error {
	part := s.documentPath() + ".part"
	if err := os.WriteFile(part, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(part, s.documentPath())
}
