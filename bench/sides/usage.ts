/** The processor time in seconds and the peak of memory in MiB of this process so far. */
export function usage(): { cpu: number; peak: number } {
  const { user, system } = process.cpuUsage();
  return { cpu: (user + system) / 1e6, peak: process.resourceUsage().maxRSS / 1024 };
}
