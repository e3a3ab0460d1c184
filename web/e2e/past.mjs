// A tend whose clock can be moved, so that screenshots show weeks of a team's life that really happened, in a minute: the same
// sources, built with a `time.Now` that adds what the file named by TEND_TEST_CLOCK says: seconds, eight bytes. Timers go by the real
// clock. The first build takes minutes: the whole standard library is built anew.
import { execFileSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

// The file is mapped: time.Now may be asked where no call of the system is possible.
const shift = `package time

import (
	"syscall"
	"unsafe"
)

var shifted = func() *int64 {
	name, _ := syscall.Getenv("TEND_TEST_CLOCK")
	if name == "" {
		return new(int64)
	}
	fd, err := syscall.Open(name, syscall.O_RDONLY, 0)
	if err != nil {
		panic("TEND_TEST_CLOCK: " + err.Error())
	}
	mem, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic("TEND_TEST_CLOCK: " + err.Error())
	}
	return (*int64)(unsafe.Pointer(&mem[0]))
}()

// shift is by how many seconds the clock is moved.
func shift() int64 {
	if shifted == nil {
		return 0
	}
	return *shifted
}
`;

/** A clock: `set(seconds)` moves it by so much against the real one. Processes that are to go by it get its `file` as TEND_TEST_CLOCK. */
export function clock(file) {
  writeFileSync(file, Buffer.alloc(8));
  const fd = openSync(file, 'r+');
  return {
    file,
    set(seconds) {
      const b = Buffer.alloc(8);
      b.writeBigInt64LE(BigInt(Math.trunc(seconds)));
      writeSync(fd, b, 0, 8, 0);
    },
  };
}

/** Builds it into the directory, and gives its path. */
export function movable(dir) {
  const goroot = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8', cwd: root }).trim();
  const time = join(goroot, 'src/time');
  const source = readFileSync(join(time, 'time.go'), 'utf8');
  const now = 'sec, nsec, mono := runtimeNow()\n\tif mono == 0 {';
  if (source.split(now).length !== 2) throw new Error(`time.Now of this Go (${goroot}) is not the one that past.mjs knows how to move`);
  mkdirSync(dir, { recursive: true });
  const at = (name, text) => { const p = join(dir, name); writeFileSync(p, text); return p; };
  const overlay = at('overlay.json', JSON.stringify({ Replace: {
    [join(time, 'time.go')]: at('time.go', source.replace(now, 'sec, nsec, mono := runtimeNow()\n\td := shift()\n\tsec, mono = sec+d, mono+d*1e9\n\tif mono == 0 {').replaceAll('runtimeNano()-startNano', 'runtimeNano()+shift()*1e9-startNano')),
    [join(time, 'shift.go')]: at('shift.go', shift),
  } }));
  const binary = join(dir, 'tend');
  execFileSync('go', ['build', '-overlay', overlay, '-o', binary, './cmd/tend'], { cwd: root, stdio: 'inherit', env: { ...process.env, CGO_ENABLED: '0' } });
  return binary;
}
