import { readFileSync } from 'node:fs';

/**
 * Returns the largest amount of memory in bytes that a process has held so far (VmHWM of proc(5));
 * Linux only.
 */
export function peakMemory(pid: number): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(
    readFileSync(`/proc/${String(pid)}/status`, 'utf8'),
  )?.[1];
  return Number(kibibytes) * 1024;
}
