package replicas

import (
	"context"
	"sync"
)

// atOnce bounds how many are asked at a time.
const atOnce = 16

// Answer is what one replica answered, or why it didn't.
type Answer[T any] struct {
	Replica *Replica
	Value   *T
	Err     error
}

// All asks all of them at once. The answers are in the order of the replicas.
func All[T any](ctx context.Context, all []*Replica, ask func(context.Context, *Replica) (*T, error)) []Answer[T] {
	answers := make([]Answer[T], len(all))
	room := make(chan struct{}, atOnce)
	var asking sync.WaitGroup
	for n, r := range all {
		asking.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			value, err := ask(ctx, r)
			if err != nil {
				value = nil
			}
			answers[n] = Answer[T]{r, value, err}
		})
	}
	asking.Wait()
	return answers
}
