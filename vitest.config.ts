import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Makes dist/, which the tests of the command run.
    globalSetup: ['test/setup/build.ts'],
    // Fails every test that leaves a handle, a timer or a listener behind.
    setupFiles: ['test/setup/leak-check.ts'],
    // The tests talk to real sockets; two files at a time is what a machine of two cores can serve.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
