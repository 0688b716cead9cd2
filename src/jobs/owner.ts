import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The name a process writes on the jobs it runs: machine, process id, and a random part. */
export function newOwner(): string {
  return `${hostname()}${processSpace()}:${process.pid}:${randomBytes(6).toString('hex')}`;
}

/**
 * Whether the process behind a name is surely gone, so that its jobs need not wait for their lease.
 * Only known on the same machine. A process id that is ours under another random part was reused: in
 * a container every start has the same one.
 */
export function isGone(owner: string, self: string): boolean {
  if (owner === self) return false;
  const [machine, pid] = owner.split(':');
  const [here, ours] = self.split(':');
  if (machine !== here || pid === undefined) return false;
  return pid === ours || !isAlive(Number(pid));
}

/**
 * Process ids mean something within one boot and one namespace only: containers that share the host's
 * name do not share its processes. Empty where the system does not tell.
 */
function processSpace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
    return `/${boot}/${readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}`;
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    // Signal 0 asks without sending.
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
