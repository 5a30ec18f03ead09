/** Loaded into a measured process before its program (`node --require`): says on request what the process has used so far. Knows nothing of the program. */

/** What a process has used since it began, with all its threads. */
export interface ProcessUse {
  readonly cpuMs: number;
  readonly memoryMb: number;
  readonly peakMemoryMb: number;
}

process.on('message', () => {
  const { userCPUTime: user, systemCPUTime: system, maxRSS } = process.resourceUsage();
  const use: ProcessUse = { cpuMs: (user + system) / 1000, memoryMb: process.memoryUsage.rss() / 1e6, peakMemoryMb: (maxRSS * 1024) / 1e6 };
  process.send?.(use);
});
