package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// behaviour is the Workload of the simulator's kubelet, with its field names; seconds count from
// the start of the container.
type behaviour struct {
	ReadyAfter         *float64 `json:"ready_after"`
	ReadyUntil         *float64 `json:"ready_until"`
	Startup            *answers `json:"startup"`
	Readiness          *answers `json:"readiness"`
	Liveness           *answers `json:"liveness"`
	ExitAfter          *float64 `json:"exit_after"`
	ExitCode           int      `json:"exit_code"`
	OutOfMemory        bool     `json:"out_of_memory"`
	StopAfter          *float64 `json:"stop_after"`
	StopCode           int      `json:"stop_code"`
	Log                string   `json:"log"`
	TerminationMessage string   `json:"termination_message"`
	Memory             int64    `json:"memory"`
	PostStart          hook     `json:"post_start"`
	PreStop            hook     `json:"pre_stop"`
}

type answers struct {
	After  *float64 `json:"after"`
	Until  *float64 `json:"until"`
	Status int      `json:"status"`
	Output string   `json:"output"`
	Hangs  bool     `json:"hangs"`
}

type hook struct {
	Seconds float64 `json:"seconds"`
	Fails   bool    `json:"fails"`
	Code    int     `json:"code"`
	Output  string  `json:"output"`
}

// read gives what BEHAVIOUR says; without it the container serves for ever.
func read() (behaviour, error) {
	// Each its own: JSON is read into what they point at.
	b := behaviour{ReadyAfter: new(float64), StopAfter: new(float64)}
	text, found := os.LookupEnv("BEHAVIOUR")
	if !found {
		return b, nil
	}
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return b, fmt.Errorf("BEHAVIOUR: %w", err)
	}
	return b, nil
}

// answers gives how probes of a kind are answered: as readiness is, unless it is said.
func (b behaviour) answers(kind string) answers {
	said := map[string]*answers{"startup": b.Startup, "readiness": b.Readiness, "liveness": b.Liveness}[kind]
	if said != nil {
		return *said
	}
	return answers{After: b.ReadyAfter, Until: b.ReadyUntil}
}

// succeed is whether a probe succeeds so long after the start.
func (a answers) succeed(after time.Duration) bool {
	seconds := after.Seconds()
	return a.After != nil && seconds >= *a.After && (a.Until == nil || seconds < *a.Until)
}

// age is for how long the container's first process runs; clock ticks are hundredths of a second:
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
func age() (time.Duration, error) {
	stat, err := os.ReadFile("/proc/1/stat")
	if err != nil {
		return 0, err
	}
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, err
	}
	now, err := strconv.ParseFloat(strings.Fields(string(uptime))[0], 64)
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold spaces.
	_, fields, _ := strings.Cut(string(stat), ") ")
	ticks, err := strconv.ParseFloat(strings.Fields(fields)[19], 64)
	if err != nil {
		return 0, err
	}
	return seconds(now - ticks/100), nil
}

func seconds(number float64) time.Duration {
	return time.Duration(number * float64(time.Second))
}
