/** Runs a job for each number below `count`, at most `parallel` at once. */
export async function inParallel(
  count: number,
  parallel: number,
  job: (index: number) => Promise<void>,
): Promise<void> {
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started < count) await job(started++);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
