// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
/** One Dockerfile on `base` with its context: `path` → text, or a link as `-> target`, or `dir/` for an empty directory. */
export interface BuildCase {
  readonly name: string;
  readonly dockerfile: string;
  readonly context?: Readonly<Record<string, string>>;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly target?: string;
}

const tree = { 'src/a.txt': 'A', 'src/sub/b.txt': 'B', 'src/sub/deep/c.md': 'C', 'top.txt': 'T', 'x y.txt': 'space' };

export const cases: readonly BuildCase[] = [
  { name: 'file to file', dockerfile: 'FROM base\nCOPY top.txt /new', context: tree },
  { name: 'file to a directory that is missing', dockerfile: 'FROM base\nCOPY top.txt /new/', context: tree },
  { name: 'file to a directory that is there', dockerfile: 'FROM base\nCOPY top.txt /tmp', context: tree },
  { name: 'file below missing directories', dockerfile: 'FROM base\nCOPY top.txt /p/q/r', context: tree },
  { name: 'directory to a missing one', dockerfile: 'FROM base\nCOPY src /new', context: tree },
  { name: 'directory to a missing one with a slash', dockerfile: 'FROM base\nCOPY src/ /new/', context: tree },
  { name: 'directory over one that is there', dockerfile: 'FROM base\nCOPY src /tmp', context: tree },
  { name: 'several sources', dockerfile: 'FROM base\nCOPY src top.txt /new/', context: tree },
  { name: 'the whole context', dockerfile: 'FROM base\nCOPY . /new', context: tree },
  { name: 'spaces in names', dockerfile: 'FROM base\nCOPY ["x y.txt", "/n w/"]', context: tree },
  { name: 'wildcards', dockerfile: 'FROM base\nCOPY src/*.txt t?p.[a-z]xt /new/', context: tree },
  { name: 'wildcards that match directories', dockerfile: 'FROM base\nCOPY s* /new/', context: tree },
  {
    name: 'relative destinations',
    dockerfile: 'FROM base\nWORKDIR /w\nCOPY top.txt .\nCOPY top.txt ./a/\nCOPY top.txt b\nWORKDIR sub\nCOPY src ../c',
    context: tree,
  },
  {
    name: 'destination behind a link',
    dockerfile: 'FROM base\nRUN mkdir /real; ln -s real /link\nCOPY top.txt /link/\nCOPY src /link/src',
    context: tree,
  },
  {
    name: 'destination that is a link to a file',
    dockerfile: 'FROM base\nRUN echo old > /file; ln -s file /link\nCOPY top.txt /link',
    context: tree,
  },
  {
    name: 'destination behind a link that leads nowhere',
    dockerfile: 'FROM base\nRUN ln -s missing /link\nCOPY top.txt /link/x',
    context: tree,
  },
  {
    name: 'absolute link as destination',
    dockerfile: 'FROM base\nRUN mkdir /real; ln -s /real /tmp/l\nCOPY src /tmp/l/in',
    context: tree,
  },
  {
    name: 'links in the context',
    dockerfile: 'FROM base\nCOPY d /d\nCOPY link /followed\nCOPY dirlink /dir/',
    context: { 'd/f': '1', 'd/l': '-> f', 'd/out': '-> /etc/passwd', link: '-> d/f', dirlink: '-> d' },
  },
  { name: 'empty directories', dockerfile: 'FROM base\nCOPY . /n/', context: { 'e/': '', 'f/g/': '' } },
  {
    name: 'existing modes stay',
    dockerfile: 'FROM base\nRUN mkdir /m; chmod 700 /m; chown 5:6 /m\nCOPY src /m\nCOPY top.txt /tmp/x/y',
    context: tree,
  },
  {
    name: 'existing subdirectory gets the mode of the source',
    dockerfile: 'FROM base\nRUN mkdir -p /m/sub; chmod 700 /m/sub; chown 5:6 /m/sub\nCOPY src /m',
    context: tree,
  },
  {
    name: 'chown by name',
    dockerfile:
      'FROM base\nCOPY --chown=worker src /n\nCOPY --chown=worker:staff top.txt /t/u\nCOPY --chown=7 top.txt /v\nCOPY --chown=7:8 src/sub /w/',
    context: tree,
  },
  { name: 'chmod', dockerfile: 'FROM base\nCOPY --chmod=640 src /n\nCOPY --chmod=755 top.txt /t/u', context: tree },
  {
    name: 'from a stage',
    dockerfile:
      'FROM base AS one\nRUN mkdir /o; echo 1 > /o/f; chmod 600 /o/f; chown 5:6 /o/f; ln -s f /o/l\nFROM base\nCOPY --from=one /o /n\nCOPY --from=one /o/l /followed\nCOPY --from=0 /o/f o2/',
  },
  {
    name: 'from a stage onto scratch',
    dockerfile: 'FROM base AS one\nRUN echo 1 > /f\nFROM scratch\nCOPY --from=one /f /\nCOPY --from=one /etc /x/etc',
  },
  {
    name: 'a stage on a stage',
    dockerfile: 'FROM base AS one\nENV A=1\nARG B=2\nCMD one\nFROM one\nENV C=$A$B\nRUN echo $A$B$C > /f',
  },
  {
    name: 'a target',
    dockerfile: 'FROM base AS one\nRUN echo 1 > /f\nFROM one AS two\nRUN echo 2 > /f',
    target: 'one',
  },
  {
    name: 'what later layers delete',
    dockerfile: 'FROM base\nCOPY src /n\nRUN rm -r /n/sub; rm /n/a.txt\nCOPY top.txt /n/sub/b.txt',
    context: tree,
  },
  { name: 'a file over a file', dockerfile: 'FROM base\nCOPY top.txt /f\nCOPY src/a.txt /f', context: tree },
  {
    name: 'ignore file',
    dockerfile: 'FROM base\nCOPY . /n',
    context: {
      ...tree,
      '.dockerignore': '# c\n*.txt\n!top.txt\nsrc/sub\n!src/sub/deep\n**/*.tmp\n',
      'a.tmp': '',
      'q/b.tmp': '',
      'q/keep': '',
      'z.txt': '',
    },
  },
  {
    name: 'ignore file that takes all but one',
    dockerfile: 'FROM base\nCOPY . /n',
    context: { ...tree, '.dockerignore': '*\n!src/sub/b.txt' },
  },
  {
    name: 'ignore file with anchors and doubles',
    dockerfile: 'FROM base\nCOPY . /n',
    context: { ...tree, '.dockerignore': '/top.txt\n**/deep\nsrc/*.txt/\n', 'src/top.txt': 's' },
  },
  {
    name: 'variables',
    dockerfile:
      'FROM base\nARG V=1\nARG W=${V:+w}\nENV A=$V B="${A}x" C=\'$A\' D=\\$A E=${N:-e} F="q \\" q"\nENV A=2 G=$A\nENV old  style  $V\nLABEL l=$A "m n"="o $B"\nWORKDIR /d$A\nCOPY $W${V}.txt ./\nRUN echo $A $B $C $D $E $F $G $V > /vars',
    context: { 'w1.txt': 'w' },
  },
  {
    name: 'build arguments',
    dockerfile: 'ARG G=g\nARG H=h\nFROM base\nARG G\nARG X=x\nARG Y\nENV Z=$G$H$X$Y\nRUN echo $Z $X > /z',
    buildArgs: { X: 'given', G: 'global' },
  },
  {
    name: 'an ARG after an ENV',
    dockerfile: 'FROM base\nENV A=env\nARG A=arg\nRUN echo $A > /a\nARG B=arg\nENV B=env\nRUN echo $B > /b',
  },
  {
    name: 'metadata',
    dockerfile:
      'FROM base\nMAINTAINER M <m@x>\nLABEL a=1 b="two words"\nEXPOSE 80 90-92/udp 70/TCP\nVOLUME /v ["/w"]\nVOLUME ["/x y", "/z"]\nUSER worker:staff\nSTOPSIGNAL SIGINT\nSHELL ["/bin/sh", "-ec"]\nCMD echo hi\nENTRYPOINT ["/e", "x"]\nHEALTHCHECK --interval=5s --timeout=1m --retries=2 CMD check it\nONBUILD RUN x\nONBUILD COPY . .',
  },
  {
    name: 'ENTRYPOINT takes the CMD of the base away',
    dockerfile: 'FROM base AS one\nCMD ["base"]\nFROM one\nENTRYPOINT ["e"]',
  },
  { name: 'CMD and ENTRYPOINT in shell form', dockerfile: 'FROM base\nCMD echo $HOME "x"\nENTRYPOINT exec top' },
  { name: 'CMD stays where it comes first', dockerfile: 'FROM base\nCMD ["c"]\nENTRYPOINT ["e"]\nHEALTHCHECK NONE' },
  { name: 'WORKDIR', dockerfile: 'FROM base\nWORKDIR /a/b/\nWORKDIR ../c\nWORKDIR d//e\nRUN pwd > /pwd' },
  { name: 'WORKDIR of a user', dockerfile: 'FROM base\nUSER worker\nWORKDIR /home/worker/x/y' },
  { name: 'WORKDIR behind a link', dockerfile: 'FROM base\nRUN mkdir /real; ln -s real /link\nWORKDIR /link/sub' },
  {
    name: 'USER of RUN',
    dockerfile:
      'FROM base\nRUN chmod 777 /home\nUSER worker\nRUN id -u > /home/u; id -g > /home/g; echo $HOME > /home/h\nUSER 7:8\nRUN id -u > /home/u7; id -g > /home/g7',
  },
  {
    name: 'ONBUILD of a stage',
    dockerfile: 'FROM base AS one\nONBUILD RUN echo triggered > /t\nONBUILD ENV T=1\nFROM one\nRUN echo $T > /own',
  },
  { name: 'SHELL', dockerfile: 'FROM base\nSHELL ["/bin/sh", "-c"]\nRUN echo x > /x\nCMD y' },
  {
    name: 'continuations and comments',
    dockerfile: '# top\nFROM base\nRUN echo a > /a && \\\n  # inner\n  echo b \\\n  > /b\nENV X=1 \\\n  Y=2',
  },
  { name: 'escape directive', dockerfile: '# escape=`\nFROM base\nRUN echo a > /a; `\n echo b > /b\nENV P=C:\\x' },
  { name: 'ADD of a file', dockerfile: 'FROM base\nADD top.txt src /n/', context: tree },
  { name: 'scratch', dockerfile: 'FROM scratch\nCOPY top.txt /a/b\nENV A=1\nUSER 5', context: tree },
  {
    name: 'RUN that deletes and makes again',
    dockerfile: 'FROM base\nRUN mkdir /d; echo 1 > /d/a\nRUN rm -r /d; mkdir /d; echo 2 > /d/b',
  },
];
