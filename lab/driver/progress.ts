/** Told of what goes on, line by line. */
export type Progress = (line: string) => void;
