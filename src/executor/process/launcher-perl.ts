import type { LauncherProgram, LaunchOptions } from './launcher-program.ts';
import { withSystemCalls } from './system-calls.ts';

/**
 * The launcher in perl: one fork and one exec for a command, where a shell needs two and three. perl-base is on every Debian.
 * It uses no module, so that it is there at once. Descriptors above 4 are closed on exec; 3 and 4 are the command's.
 * A signal that comes between a look and the next wait would be slept over: hence the limit of the wait.
 */
const program = `
$^F = 4;
my $launcher = $$;
open my $up, '>', '/dev/null';
open my $down, '<', '/dev/null';
open my $reports, '>&', \\*STDOUT;
$SIG{CHLD} = sub {};
$SIG{$_} = \\&stop for qw(TERM INT HUP PIPE);
my %running;
my %folders;
my $read = '';
protect(@ARGV) if @ARGV;
while (1) {
  vec(my $ready = '', 0, 1) = 1;
  if (select($ready, undef, undef, %running ? 0.1 : undef) > 0) {
    sysread STDIN, $read, 65536, length $read or stop();
    while (length $read >= 4 and length $read >= 4 + (my $size = unpack 'N', $read)) {
      start(split /\\0/, substr($read, 4, $size), -1);
      substr $read, 0, 4 + $size, '';
    }
  }
  while ((my $pid = waitpid -1, 1) > 0) {
    my $number = delete $running{$pid};
    delete $folders{$number};
    kill 'KILL', -$pid;
    syswrite $reports, "e $number " . ($? & 127 ? 128 + ($? & 127) : $? >> 8) . "\\n";
  }
}
sub stop {
  kill 'KILL', -$_, $_ for keys %running;
  my @left = map { @$_ } values %folders;
  for (1 .. 50) {
    1 while waitpid(-1, 1) > 0;
    @left = grep { !rmdir and -d } @left or last;
    select undef, undef, undef, 0.01;
  }
  exit;
}
sub start {
  my ($number, $cwd, $in, $out, $err, $upward, $downward, $feed, $routine, $variables, @words) = @_;
  $folders{$number} = \\@words if $routine;
  my $pid = fork // return syswrite $reports, "f $number\\n";
  return $running{$pid} = $number if $pid;
  $SIG{$_} = 'DEFAULT' for qw(CHLD TERM INT HUP PIPE);
  setpgrp;
  unless (chdir $cwd
    and open STDIN, '<', $in and open STDOUT, '>', $out and open STDERR, '>', $err
    and ($upward eq '' or open $up, '>', $upward and open $down, '<', $downward)) {
    syswrite $reports, "f $number\\n";
    exit;
  }
  feed() if $feed;
  %ENV = map { split /=/, $_, 2 } splice @words, 0, $variables if $variables ne '';
  syswrite $reports, "s $number $$\\n";
  return main->can($routine)->(@words) if $routine;
  exec { $words[0] } @words;
  my $code = $! == 2 ? 127 : 126;
  syswrite STDERR, "$words[0]: $!\\n";
  exit $code;
}
sub feed {
  pipe my $taken, my $given;
  my $between = fork;
  if (defined $between and !$between) {
    exit if fork;
    open STDOUT, '>&', $given;
    open $_, '>', '/dev/null' for \\*STDERR, $up, $down;
    exec 'cat';
  }
  waitpid $between, 0;
  open STDIN, '<&', $taken;
}
`;

export const perlLauncher: LauncherProgram = { command: ['perl', '-e', program], prelude: '', toRequest };

/** With subroutines that `LaunchOptions.routine` may name. */
export const withRoutines = (routines: string): LauncherProgram => ({
  ...perlLauncher,
  command: ['perl', '-e', program + routines],
});

/**
 * Its words are folders that nobody writes to from here on, root included: in a mount namespace of its own, which still follows what
 * this machine mounts. MS_SLAVE is 0x80000, MS_REC 0x4000, MS_BIND 0x1000, MS_REMOUNT 0x20, MS_RDONLY 1.
 */
const protection = `
sub protect {
  my ($none, $root) = ('none', '/');
  my $done = syscall(SYS_unshare, 0x20000) == 0 && syscall(SYS_mount, $none, $root, $none, 0x84000, 0) == 0;
  for my $folder (@_) {
    $done &&= syscall(SYS_mount, $folder, $folder, $none, 0x1000, 0) == 0
      && syscall(SYS_mount, $none, $folder, $none, 0x1021, 0) == 0;
  }
  syswrite $reports, $done ? "p 0\\n" : '';
}
`;

/** Commands cannot write to `folders`, where the kernel lets it be arranged. */
export function perlLauncherBeside(folders: readonly string[]): LauncherProgram {
  const routine = withSystemCalls(protection, process.arch);
  if (routine === undefined || folders.length === 0) return perlLauncher;
  return { ...perlLauncher, command: ['perl', '-e', program + routine, ...folders] };
}

/** Its length, then what `start` takes, with zeros between. */
function toRequest(number: number, options: LaunchOptions): Buffer {
  const { command, environment, cwd, stdin, pipesStdin, stdout, stderr, control, routine } = options;
  const variables = Object.entries(environment ?? {}).map(([name, value]) => `${name}=${value}`);
  const fields = [
    ...[String(number), cwd, stdin, stdout, stderr, control?.up ?? '', control?.down ?? ''],
    ...[pipesStdin ? 'pipe' : '', routine ?? '', environment ? String(variables.length) : '', ...variables, ...command],
  ];
  const text = fields.join('\0');
  const request = Buffer.allocUnsafe(4 + Buffer.byteLength(text));
  request.writeUInt32BE(request.length - 4);
  request.write(text, 4);
  return request;
}
