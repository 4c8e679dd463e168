package controlplane

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Main is "kube up" with the arguments after it. It returns the exit status: 0
// when stdin or a signal ended it, 1 when a server failed, 2 for wrong arguments.
func Main(args []string) int {
	o, err := parseOptions(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kube up:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends it at once, and the kernel its children.
	context.AfterFunc(ctx, stop)
	out := newPrinter(os.Stdout)
	if err := run(ctx, o, os.Stdin, out); err != nil {
		out.print(Event{Event: "error", Error: err.Error()})
		fmt.Fprintln(os.Stderr, "kube up:", err) // a log is easier to read unescaped
		return 1
	}
	return 0
}

// run serves the clusters until in ends or ctx is done, which are no errors, or
// until a server fails that all depend on.
func run(ctx context.Context, o options, in io.Reader, out *printer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	store, err := newEtcd(o.dir)
	if err != nil {
		return err
	}
	spawn := newSpawner()
	var clusters []*cluster
	for _, s := range o.clusters {
		c, err := newCluster(o, s, store, spawn, out)
		if err != nil {
			return err
		}
		clusters = append(clusters, c)
	}
	go func() {
		readCommands(ctx, in, clusters, out)
		cancel()
	}()
	err = serve(ctx, store, spawn, clusters, out)
	if ctx.Err() != nil {
		return nil // what a server says while it is being stopped is no failure
	}
	return err
}

// serve starts etcd and then the clusters, and when ctx is done ends them in
// the opposite order: without etcd an API server may take minutes to end.
func serve(ctx context.Context, store *etcd, spawn spawner, clusters []*cluster, out *printer) error {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer store.stop()
	defer workers.Wait() // each ends its cluster's servers
	defer cancel()

	if err := store.start(ctx, spawn); err != nil {
		return err
	}
	started := make(chan error, len(clusters))
	for _, c := range clusters {
		workers.Go(func() { c.serve(ctx, started) })
	}
	for range clusters {
		select {
		case err := <-started:
			if err != nil {
				return err
			}
		case <-store.exited:
			return store.failure("died")
		}
	}
	out.print(Event{Event: "up"})
	select {
	case <-ctx.Done():
		return nil
	case <-store.exited:
		return store.failure("died")
	}
}
