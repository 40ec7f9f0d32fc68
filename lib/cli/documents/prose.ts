/** Text of a person's own inside Markdown: shown as it was written, and never read as markup. */
export const prose = (text: string): string =>
  text.replace(/[\\`*_[\]<>#&]/g, (character) => `\\${character}`);
