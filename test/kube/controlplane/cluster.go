package controlplane

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// cluster is one control plane. Only its own goroutine, in serve, touches it.
type cluster struct {
	spec
	dir          string // its own files
	kubeconfig   string
	port         int // the same for every restart
	token        string
	fastServices bool

	etcd     *etcd
	spawn    spawner
	out      *printer
	commands chan string

	api         *process
	controllers *process
	paused      bool
}

func newCluster(o options, s spec, store *etcd, spawn spawner, out *printer) (*cluster, error) {
	port, err := reservePort()
	if err != nil {
		return nil, err
	}
	c := &cluster{
		spec:         s,
		dir:          filepath.Join(o.dir, s.name),
		kubeconfig:   filepath.Join(o.dir, s.name+".kubeconfig"),
		port:         port,
		token:        rand.Text(),
		fastServices: o.fastServices,
		etcd:         store,
		spawn:        spawn,
		out:          out,
		commands:     make(chan string, 16), // so that a slow cluster does not hold up the others' commands
	}
	return c, c.writeFiles()
}

func (c *cluster) writeFiles() error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	tokens := fmt.Sprintf("%s,admin,admin,\"system:masters\"\n", c.token)
	if err := os.WriteFile(c.file("tokens.csv"), []byte(tokens), 0o600); err != nil {
		return err
	}
	return ensureFile(c.file("sa.key"), newSigningKey)
}

func (c *cluster) file(name string) string { return filepath.Join(c.dir, name) }

func (c *cluster) server() string { return fmt.Sprintf("https://127.0.0.1:%d", c.port) }

// prefix is where its keys are in etcd. The slash at its end keeps c1 apart
// from c10.
func (c *cluster) prefix() string { return "/" + c.name + "/" }

// start runs its servers and returns when the API is ready. It does nothing
// when they run.
func (c *cluster) start(ctx context.Context) error {
	if c.api.alive() {
		if c.paused {
			return errors.New("it is paused: resume it")
		}
		return nil
	}
	if err := c.startServers(ctx); err != nil {
		c.kill()
		return err
	}
	go c.reportDeath(c.api)
	go c.reportDeath(c.controllers)
	return nil
}

func (c *cluster) startServers(ctx context.Context) (err error) {
	c.kill() // what is left of one whose API server died
	c.api, err = c.spawn.start(c.name+" apiserver", c.file("apiserver.log"), c.apiserverArgs()...)
	if err != nil {
		return err
	}
	if err := waitReady(ctx, c.api, c.probe); err != nil {
		return err
	}
	if err := writeKubeconfig(c.kubeconfig, c.name, c.server(), c.file("apiserver.crt"), c.token); err != nil {
		return err
	}
	// Not earlier: it gives up on an API that isn't there after ten seconds.
	c.controllers, err = c.spawn.start(c.name+" controller-manager", c.file("controller-manager.log"), c.controllerArgs()...)
	return err
}

func (c *cluster) probe(ctx context.Context) error {
	// Anew each time: the server makes its certificate while it starts.
	client, err := clientTrusting(c.file("apiserver.crt"))
	if err != nil {
		return err
	}
	return get(ctx, client, c.server()+"/readyz", c.token)
}

// stop ends its API server as a crash would. The controller manager goes too:
// left alone it would retry ever more slowly, and be late after a start.
func (c *cluster) stop(context.Context) error {
	c.kill()
	return nil
}

func (c *cluster) kill() {
	c.controllers.kill()
	c.api.kill()
	c.paused = false
}

func (c *cluster) pause(context.Context) error {
	if !c.api.alive() {
		return errors.New("it is stopped")
	}
	if c.paused {
		return nil
	}
	if err := c.api.pause(); err != nil {
		return err
	}
	c.paused = true
	return nil
}

func (c *cluster) resume(context.Context) error {
	if !c.api.alive() {
		return errors.New("it is stopped")
	}
	if !c.paused {
		return nil
	}
	if err := c.api.resume(); err != nil {
		return err
	}
	c.paused = false
	return nil
}

// wipe gives it an empty store: the same address and certificates, no object.
func (c *cluster) wipe(ctx context.Context) error {
	c.kill()
	if err := c.etcd.deletePrefix(ctx, c.prefix()); err != nil {
		return err
	}
	return c.start(ctx)
}

// reportDeath tells of a server that ended although nobody asked it to. Only
// etcd's death ends kube up: a start brings a cluster back.
func (c *cluster) reportDeath(p *process) {
	<-p.exited
	if !p.stopped.Load() {
		c.out.print(Event{Event: "died", Cluster: c.name, Error: p.failure("died").Error()})
	}
}
