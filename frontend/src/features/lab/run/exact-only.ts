// Modules of the exact pack that the light one lacks, by their top names; exact-only.test.ts holds the list to both.
export const exactOnly = new Set(
  (
    'argparse bdb cmd code configparser doctest fnmatch gettext glob graphlib hmac ipaddress logging opcode pathlib pdb pickle pkgutil quopri ' +
    'rlcompleter runpy sched secrets shlex shutil signal symtable tempfile this timeit tomllib urllib uuid'
  ).split(' '),
);
