/** Languages that stand in for another, by the language that they stand in for. */
export type Fallbacks = Record<string, string[]>;

/** As a person reads and writes it: "ff: fr, en; mg: fr". */
export function written(fallbacks: Fallbacks): string {
  return Object.entries(fallbacks)
    .map(([language, standIns]) => `${language}: ${standIns.join(', ')}`)
    .join('; ');
}

/** Reads what a person wrote. Commas, semicolons and spaces of other keyboards count too; what is none of a language is left to the server. */
export function read(text: string): Fallbacks {
  const out: Fallbacks = {};
  for (const part of text.split(/[;؛\n]/)) {
    const [language = '', standIns = ''] = part.split(/[::]/);
    const tags = standIns.split(/[,،,、\s]+/).filter(Boolean);
    if (language.trim()) out[language.trim()] = tags;
  }
  return out;
}
