import { withSystemCalls } from '../process/system-calls.ts';

/** What `LaunchOptions.routine` calls it. */
export const seatRoutine = 'seat';

/**
 * A seat, and the first process of a container, as a routine of the launcher in perl (`process/launcher-perl.ts`), which forks and
 * calls the kernel itself: nothing but the command has to be loaded, where the shell starts nine programs. Undefined where the
 * numbers of the calls are not known here.
 *
 * A seat makes and joins the control groups whose folders are its words, says `ready` on descriptor 3, and waits on 4 for six words, each
 * with a zero behind it (`start-seat.ts`). It opens the streams as the caller, and joins and makes the namespaces. Its child is process 1:
 * it says its id as it is outside (`first`) and waits for the path of a scratch folder and a zero. In it lies the plan (`init-plan.ts`). It
 * mounts, starts the command, says `started`, or what failed in place of that, reaps, and when the command has ended kills what is left;
 * with the last of them gone it says `end` with the exit code and the CPU time. After that nothing happens in the container any more but the
 * kernel's taking it apart.
 *
 * As with the shell, nothing of the image runs or is loaded before the command is, which is in the new root by then; and process 1
 * has capabilities that the others lack, so that none of them can look at it (ptrace(2), "Ptrace access mode checking").
 */
export const seatProgram = (architecture: string): string | undefined => withSystemCalls(program, architecture);

const program = String.raw`
sub seat {
  my @folders = @_;
  close $reports;
  end_with_parent();
  exit if getppid != $launcher;
  for my $folder (@folders) {
    mkdir $folder;
    write_file("$folder/cgroup.procs", 0);
  }
  say_up("ready");
  my ($users, $network, $unshare, $in, $out, $err) = map { hear() } 1 .. 6;
  join_namespace($network) if $network ne '';
  open STDIN, '<', $in or give_up("$in: $!");
  open STDOUT, '>', $out or give_up("$out: $!");
  open STDERR, '>', $err or give_up("$err: $!");
  join_namespace($users);
  syscall(SYS_unshare, $unshare + 0) == 0 or give_up("unshare: $!");
  end_with_parent();
  pipe my $parent, my $life;
  my $pid = fork // give_up("fork: $!");
  unless ($pid) {
    close $life;
    first($parent);
  }
  open $_, '+<', '/dev/null' for \*STDIN, \*STDOUT, \*STDERR, $up, $down;
  waitpid $pid, 0;
  exit code_of($?);
}
sub first {
  my ($parent) = @_;
  end_with_parent();
  vec(my $gone = '', fileno $parent, 1) = 1;
  exit if select $gone, undef, undef, 0;
  open my $self, '<', '/proc/self/stat' or give_up("proc: $!");
  say_up('first ' . (split ' ', <$self>)[0]);
  my $scratch = hear();
  chdir $scratch or give_up("$scratch: $!");
  open my $file, '<', 'init' or give_up("init: $!");
  my @plan = split /\0/, do { local $/; <$file> }, -1;
  my ($feeds, $host, $processes, $filter, $kept, $bare, $user, $group, $groups, $folder) = splice @plan, 0, 10;
  $0 = 'init';
  if ($filter ne '') {
    my $program = pack 'H*', $filter;
    my $list = pack 'Sx6P', length($program) / 8, $program;
    syscall(SYS_seccomp, 1, 0, $list) == 0 or give_up("seccomp: $!");
  }
  feed_pipe() if $feeds;
  for (1 .. shift @plan) {
    my ($uid, $gid, $path) = splice @plan, 0, 3;
    chown $uid, $gid, $path or give_up("chown $path: $!");
  }
  mount('none', '/', 'none', 0x44000, '');
  for (1 .. shift @plan) {
    my ($kind, @words) = splice @plan, 0, shift @plan;
    main->can($kind)->(@words);
  }
  isolate($host) if $host ne '';
  chdir '/..' or give_up("the new root: $!");
  syscall(SYS_prlimit, 0, 6, my $limit = pack('Q2', $processes, $processes), 0) if $processes ne '';
  my $child = fork // give_up("fork: $!");
  become($kept, $bare, $user, $group, $groups, $folder, @plan) unless $child;
  open $_, '+<', '/dev/null' for \*STDIN, \*STDOUT, \*STDERR;
  say_up('started');
  my $code;
  while ((my $pid = wait) > 0) {
    next if $pid != $child;
    $code = code_of($?);
    kill 'KILL', -1;
  }
  my @times = times;
  say_up("end $code $times[2] $times[3]");
  exit $code;
}
sub become {
  my ($kept, $bare, $user, $group, $groups, $folder, @plan) = @_;
  close $up;
  close $down;
  chroot '.' or refuse('chroot');
  chdir $folder or refuse($folder);
  my %kept = map { $_ => 1 } split /,/, $kept;
  for my $capability (0 .. 63) {
    next if $kept{$capability};
    last if syscall(SYS_prctl, 24, $capability + 0, 0, 0, 0) != 0;
  }
  syscall(SYS_prctl, 38, 1, 0, 0, 0) if $bare;
  if ($user ne '') {
    my @groups = split /,/, $groups;
    syscall(SYS_setgroups, scalar @groups, my $list = pack 'L*', @groups) == 0 or refuse('setgroups');
    syscall(SYS_setresgid, $group + 0, $group + 0, $group + 0) == 0 or refuse('setresgid');
    syscall(SYS_setresuid, $user + 0, $user + 0, $user + 0) == 0 or refuse('setresuid');
  }
  %ENV = map { split /=/, $_, 2 } splice @plan, 0, shift @plan;
  exec { $plan[0] } @plan;
  refuse($plan[0]);
}
sub file {
  my ($path) = @_;
  folder($1) if $path =~ m{^(.+)/}s;
  open my $file, '>', $path or give_up("$path: $!");
}
sub folder {
  my ($path) = @_;
  return if -d $path;
  folder($1) if $path =~ m{^(.+?)/+[^/]+/*\z}s;
  mkdir $path, 0755 or -d $path or give_up("mkdir $path: $!");
}
sub mount {
  my ($source, $target, $type, $flags, $data) = @_;
  syscall(SYS_mount, $source, $target, $type, $flags + 0, $data eq '' ? 0 : $data) == 0
    or give_up("mount $type $source on $target: $!");
}
sub isolate {
  my ($name) = @_;
  syscall(SYS_sethostname, $name, length $name) == 0 or give_up("sethostname: $!");
  socket my $socket, 2, 2, 0 or give_up("loopback: $!");
  ioctl $socket, 0x8914, my $up = pack 'a16sx14', 'lo', 1 or give_up("loopback: $!");
}
sub feed_pipe {
  pipe my $taken, my $given;
  my $feeder = fork // give_up("fork: $!");
  unless ($feeder) {
    open $_, '+<', '/dev/null' for \*STDOUT, \*STDERR, $up, $down;
    close $taken;
    while (sysread STDIN, my $chunk, 131072) {
      for (my $done = 0; $done < length $chunk;) {
        $done += syswrite($given, $chunk, length($chunk) - $done, $done) // exit;
      }
    }
    exit;
  }
  open STDIN, '<&', $taken;
}
sub join_namespace {
  my ($path) = @_;
  open my $namespace, '<', $path or give_up("$path: $!");
  syscall(SYS_setns, fileno $namespace, 0) == 0 or give_up("setns $path: $!");
}
sub end_with_parent { syscall(SYS_prctl, 1, 9, 0, 0, 0) }
sub write_file {
  my ($path, $text) = @_;
  open my $file, '>', $path or return;
  syswrite $file, $text;
}
sub code_of { $_[0] & 127 ? 128 + ($_[0] & 127) : $_[0] >> 8 }
sub say_up { syswrite $up, "$_[0]\n" }
sub hear {
  my $word = '';
  while (sysread $down, my $byte, 1) {
    return $word if $byte eq "\0";
    $word .= $byte;
  }
  exit 125;
}
sub give_up {
  say_up($_[0]);
  exit 125;
}
sub refuse {
  my $code = $! == 2 ? 127 : 126;
  syswrite STDERR, "$_[0]: $!\n";
  exit $code;
}
`;
