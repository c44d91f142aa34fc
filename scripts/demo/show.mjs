// How the demo looks: headings, one progress line that is redrawn, tables.

const terminal = process.stdout.isTTY === true;
const colour = terminal && !process.env.NO_COLOR && process.env.TERM !== "dumb";
const styled = (code) => (text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);

export const bold = styled("1");
export const dim = styled("2");
export const green = styled("32");
export const yellow = styled("33");

export const say = (text = "") => console.log(text);
export const heading = (text) => say(`\n${bold(text)}`);

export const count = (number) => number.toLocaleString("en-US");
export const many = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;
export const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/** A line that says how far it is: redrawn in place on a terminal, only its last form elsewhere. */
export class Progress {
  now(text) {
    if (!terminal) return;
    const width = Math.max(20, (process.stdout.columns || 80) - 1);
    process.stdout.write(`\r\x1b[K${text.slice(0, width)}`);
  }

  done(text) {
    if (terminal) process.stdout.write("\r\x1b[K");
    say(text);
  }
}

/** Rows of cells; the first column to the left, the others to the right. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  for (const [at, row] of rows.entries()) {
    const cells = row.map((cell, column) => {
      const text = String(cell);
      return column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]);
    });
    const line = `  ${cells.join("   ")}`;
    say(at === 0 ? dim(line) : line);
  }
}

/** Text broken between words, every line behind `indent` blanks. */
export function wrapped(text, indent) {
  const width = Math.max(40, Math.min(process.stdout.columns || 100, 110) - indent);
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  for (const line of lines) say(`${" ".repeat(indent)}${line}`);
}
