package apiserver

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// event is one line of kube up's stdout; test/kube/controlplane documents it.
type event struct {
	Event      string `json:"event"`
	Cluster    string `json:"cluster"`
	Command    string `json:"command"`
	Kubeconfig string `json:"kubeconfig"`
	Server     string `json:"server"`
	Error      string `json:"error"`
}

// read takes kube up's events until it ends.
func (c *Clusters) read(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20) // an error holds the end of a log
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			c.t.Errorf("apiserver: not an event: %q", lines.Text())
			continue
		}
		c.take(e)
	}
	err := c.command.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && c.failure == "" {
		c.failure = fmt.Sprintf("%v %s", err, c.stderr.String())
	}
	close(c.ended)
}

func (c *Clusters) take(e event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case e.Command != "":
		m := c.members[e.Cluster]
		m.waiting[0] <- e // has room for its one answer
		m.waiting = m.waiting[1:]
	case e.Event == "ready":
		c.members[e.Cluster] = &member{kubeconfig: e.Kubeconfig, server: e.Server}
	case e.Event == "up":
		close(c.up)
	case e.Event == "died":
		c.t.Errorf("apiserver: %s", e.Error)
	case e.Event == "error":
		c.failure = e.Error
	}
}

func (c *Clusters) reason() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}
