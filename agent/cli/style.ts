/** How text is emphasised; each answers its argument unchanged where colours are off. */
export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly caution: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

const plain = (text: string): string => text;
const sgr =
  (code: number) =>
  (text: string): string =>
    text === "" ? text : `\u001b[${code}m${text}\u001b[0m`;

export const PLAIN: Style = {
  good: plain,
  bad: plain,
  caution: plain,
  faint: plain,
  strong: plain,
};

const COLORED: Style = {
  good: sgr(32),
  bad: sgr(31),
  caution: sgr(33),
  faint: sgr(2),
  strong: sgr(1),
};

export const styleFor = (color: boolean): Style => (color ? COLORED : PLAIN);
