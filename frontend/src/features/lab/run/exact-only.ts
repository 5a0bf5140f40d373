// Modules of the exact pack that the light one lacks, by their top names; exact-only.test.ts holds the list to both.
export const exactOnly = new Set(
  (
    'argparse bdb cmath cmd code configparser doctest gettext glob graphlib hmac html ipaddress logging opcode pathlib pdb pickle pkgutil quopri ' +
    'rlcompleter runpy sched secrets shlex shutil signal symtable tempfile this timeit tomllib unicodedata urllib uuid'
  ).split(' '),
);
