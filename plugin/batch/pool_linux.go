package batch

import "sync"

// maxIdle is how many idle workers a pool keeps.
const maxIdle = 128

// A task is what a worker is given: a batch to go on with, or one query that no batch waits
// for, with its packet.
type task struct {
	batch  *batch
	query  *query
	packet []byte
}

// A pool has the workers of a socket: goroutines that live on, so that their stacks needn't
// grow for each query.
type pool struct {
	work func(task)

	mu     sync.Mutex
	idle   []chan task
	closed bool
}

// give gives t to the worker that was idle last, or to a new one.
func (p *pool) give(t task) {
	p.mu.Lock()
	last := len(p.idle) - 1
	if last < 0 {
		p.mu.Unlock()
		go p.run(t)
		return
	}
	worker := p.idle[last]
	p.idle = p.idle[:last]
	p.mu.Unlock()
	worker <- t
}

func (p *pool) run(t task) {
	tasks := make(chan task, 1)
	for ok := true; ok; t, ok = <-tasks {
		p.work(t)
		if !p.rest(tasks) {
			return
		}
	}
}

// rest reports whether the pool takes a worker that has nothing to do.
func (p *pool) rest(tasks chan task) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) == maxIdle {
		return false
	}
	p.idle = append(p.idle, tasks)
	return true
}

// close ends the idle workers, and the others when they are done.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, worker := range p.idle {
		close(worker)
	}
	p.idle = nil
}
