package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"
)

// serveControl answers POST /mode/{mode} and POST /crash?code=N&after=D.
func serveControl(listener net.Listener, p *performer) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mode/{mode}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, p.set(r.PathValue("mode")))
	})
	mux.HandleFunc("POST /crash", func(w http.ResponseWriter, r *http.Request) {
		code, after, err := crashQuery(r)
		if err == nil {
			crash(after, code)
		}
		answer(w, err)
	})
	log.Fatal(http.Serve(listener, mux))
}

// crashQuery gives exit code 1 after 100 ms, enough for the answer, unless the query says otherwise.
func crashQuery(r *http.Request) (code int, after time.Duration, err error) {
	code, after = 1, 100*time.Millisecond
	query := r.URL.Query()
	if query.Has("code") {
		if code, err = strconv.Atoi(query.Get("code")); err != nil {
			return 0, 0, fmt.Errorf("code: %w", err)
		}
	}
	if query.Has("after") {
		if after, err = time.ParseDuration(query.Get("after")); err != nil {
			return 0, 0, fmt.Errorf("after: %w", err)
		}
	}
	return code, after, nil
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, "ok")
}
