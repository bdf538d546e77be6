package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// demoScenarios are the stories of one broker that the demo runs.
var demoScenarios = []string{"single/crash", "single/power"}

// sweepSimulated puts the same broker code under faults by seed.
func (d *demo) sweepSimulated(ctx context.Context, self string) error {
	d.say("\n2. The same code in the simulator: %d seeds of each scenario", d.seeds)
	args := append([]string{"sim", "sweep"}, demoScenarios...)
	return d.tell(ctx, self, append(args, "--seeds", fmt.Sprintf("1..%d", d.seeds))...)
}

// catchBroken lets the simulator loose on a build that breaks its promise on purpose.
func (d *demo) catchBroken(ctx context.Context) error {
	if d.broken == "" {
		return nil
	}
	d.say("\n3. A broken build: it acknowledges before its journal is synced")
	err := d.tell(ctx, d.broken, "sim", "sweep", "single/power", "--seeds", "1..500", "--stop-at-failure")
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == exitSafety:
		d.say("   Caught. The line above that names the seed replays it.")
		return nil
	case err != nil:
		return err
	}
	return exitErrorf(exitSafety, "the broken build was not caught")
}

// tell runs a tidemark command and repeats what it prints, indented.
func (d *demo) tell(ctx context.Context, binary string, args ...string) error {
	cmd := exec.CommandContext(ctx, binary, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		d.say("   %s", lines.Text())
	}
	return errors.Join(lines.Err(), cmd.Wait())
}
