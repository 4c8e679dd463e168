package batch

// helpFrom is how many packets at a time are so many that another worker reads, too.
const helpFrom = maxBatch / 2

// work does one task: it is what a worker of the pool does.
func (s *socket) work(t task) {
	if t.query != nil {
		defer t.query.server.inFlight.Add(-1)
		t.query.server.serve(t.query, t.packet)
		return
	}
	for b := t.batch; ; {
		if !s.answer(b) {
			return // another worker has it
		}
		if !b.fill(s) {
			s.leave(b)
			return
		}
		if b.serving = s.enter(); b.serving == nil {
			s.leave(b)
			return
		}
		b.serving.metrics.read(b.in.n)
		s.help(b)
		b.turns.Add(1)
		s.watch.wake()
	}
}

// help has another worker read, too, where there's more than b takes.
func (s *socket) help(b *batch) {
	if b.in.n < helpFrom {
		return
	}
	select {
	case helper := <-s.helpers:
		s.pool.give(task{batch: helper})
	default: // all help
	}
}

// leave ends the work of a batch: there's nothing to read, or the socket is closed.
func (s *socket) leave(b *batch) {
	if b.helps {
		s.helpers <- b
		return
	}
	close(s.done)
}

// answer has b's packets answered, and sends the replies. It returns false if b has gone to
// another worker meanwhile.
func (s *socket) answer(b *batch) bool {
	if b.serving == nil {
		return true // it's new
	}
	for b.in.next < b.in.n {
		i := b.in.next
		b.in.next++
		data, from, size, control := b.in.packet(i)
		if len(data) < headerSize {
			s.steering.probes.see(data) // which dns.Server ignores
			continue
		}
		q := &query{server: b.serving}
		q.set(from, size, control)
		if b.spread || s.watch.spread.Load() {
			b.serving.inFlight.Add(1)
			s.pool.give(task{query: q, packet: append([]byte(nil), data...)})
			continue
		}
		if !s.answerInTurn(b, q, data) {
			return false
		}
	}
	b.mu.Lock()
	b.out.send(s.raw)
	b.mu.Unlock()
	b.serving.inFlight.Add(-1)
	b.serving, b.spread = nil, false
	b.turns.Add(1)
	return true
}

func (s *socket) answerInTurn(b *batch, q *query, data []byte) (mine bool) {
	q.batch = b
	b.begin(q)
	returned := false
	defer func() {
		mine = b.end(q)
		if !mine {
			q.server.inFlight.Add(-1)
		} else if !returned { // runtime.Goexit, or a panic with CoreDNS's debug
			s.pool.give(task{batch: b})
		}
	}()
	q.server.serve(q, data)
	returned = true
	return true
}
