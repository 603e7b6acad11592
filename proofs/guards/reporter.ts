import { writeSync } from 'node:fs';

/** What of a test file jest tells a reporter. */
interface FileResult {
  testFilePath: string;
  failureMessage?: string | null;
  testResults: readonly { fullName: string; status: string }[];
}

/** One line that this reporter prints. */
export interface FileReport {
  path: string;
  tests: number;
  failed: string[];
}

/** Prints a line of JSON for each test file as it ends: jest's own report is lost when it stops at the first failure. */
export default class LineReporter {
  onTestResult(_test: unknown, { testFilePath, testResults, failureMessage }: FileResult): void {
    const failed = testResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
    if (failed.length === 0 && failureMessage) failed.push(`a file does not load: ${failureMessage.slice(0, 300)}`);
    const report: FileReport = { path: testFilePath, tests: testResults.length, failed };
    writeSync(1, `${JSON.stringify(report)}\n`);
  }
}
