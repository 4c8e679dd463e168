package controlplane

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
)

// verbs are the commands of stdin, and the event that answers each.
var verbs = map[string]struct {
	answer string
	do     func(*cluster, context.Context) error
}{
	"start":  {"ready", (*cluster).start},
	"stop":   {"stopped", (*cluster).stop},
	"pause":  {"paused", (*cluster).pause},
	"resume": {"resumed", (*cluster).resume},
	"wipe":   {"wiped", (*cluster).wipe},
}

// readCommands hands each line of in to its cluster, until in ends. Commands of
// one cluster are carried out in order, those of different ones side by side.
func readCommands(ctx context.Context, in io.Reader, clusters []*cluster, out *printer) {
	byName := map[string]*cluster{}
	for _, c := range clusters {
		byName[c.name] = c
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := strings.Join(strings.Fields(lines.Text()), " ")
		if line == "" {
			continue
		}
		verb, name, _ := strings.Cut(line, " ")
		c, known := byName[name]
		if _, ok := verbs[verb]; !ok || !known {
			out.print(Event{Event: "error", Command: line, Error: fmt.Sprintf(
				"%q: want start, stop, pause, resume or wipe, and one of the clusters", line)})
			continue
		}
		select {
		case c.commands <- line:
		case <-ctx.Done():
			return
		}
	}
}

// serve owns the cluster: it starts it, carries out its commands until ctx is
// done, and leaves no process behind. started gets the outcome of the first
// start.
func (c *cluster) serve(ctx context.Context, started chan<- error) {
	defer c.kill()
	err := c.start(ctx)
	if err == nil {
		c.out.print(c.event("ready"))
	}
	started <- err
	if err != nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case line := <-c.commands:
			c.out.print(c.obey(ctx, line))
		}
	}
}

// obey carries out one command and returns its answer.
func (c *cluster) obey(ctx context.Context, line string) Event {
	name, _, _ := strings.Cut(line, " ")
	verb := verbs[name]
	if err := verb.do(c, ctx); err != nil {
		return Event{Event: "error", Cluster: c.name, Command: line, Error: err.Error()}
	}
	e := c.event(verb.answer)
	e.Command = line
	return e
}

func (c *cluster) event(name string) Event {
	e := Event{Event: name, Cluster: c.name, Kubeconfig: c.kubeconfig, Server: c.server()}
	if c.api.alive() {
		e.PID = c.api.cmd.Process.Pid
	}
	return e
}
