#include <reel_test/container.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace reel_test {
namespace {

namespace fs = std::filesystem;

constexpr int kRefused = 77;  // by the kernel, or by who runs it
constexpr int kNamespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  if (!file) fail("cannot write " + path);
}

/// Its root is `user` outside. A process may map itself alone; another number takes a helper from outside,
/// which is forked before.
void enter_user_namespace(std::optional<uid_t> user) {
  const uid_t root = user.value_or(::geteuid());
  const gid_t group = user ? static_cast<gid_t>(*user) : ::getegid();
  const pid_t here = ::getpid();
  std::array<int, 2> ready{};
  if (::pipe(ready.data()) != 0) fail("pipe");
  const pid_t helper = ::fork();
  if (helper == 0) {
    ::close(ready[1]);
    char byte = 0;
    int status = 0;
    if (::read(ready[0], &byte, 1) != 1) ::_exit(0);  // there is no namespace
    try {
      const std::string proc = "/proc/" + std::to_string(here);
      if (::geteuid() != 0) write_file(proc + "/setgroups", "deny");
      write_file(proc + "/uid_map", "0 " + std::to_string(root) + " 1\n");
      write_file(proc + "/gid_map", "0 " + std::to_string(group) + " 1\n");
    } catch (const std::exception&) {
      status = 1;
    }
    ::_exit(status);
  }
  ::close(ready[0]);
  const bool made = ::unshare(CLONE_NEWUSER) == 0;
  const int error = errno;
  if (made && ::write(ready[1], "x", 1) != 1) fail("pipe");
  ::close(ready[1]);
  int status = 0;
  ::waitpid(helper, &status, 0);
  errno = error;
  if (!made) fail("unshare(CLONE_NEWUSER)");
  if (status != 0) fail("cannot map users");
}

void bind_at(const std::string& from, const std::string& to, bool read_only = false) {
  fs::create_directories(to);
  if (::mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) fail("cannot bind " + from);
  if (read_only && ::mount(nullptr, to.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0)
    fail("cannot make " + to + " read-only");
}

void fresh(const char* type, const std::string& place) {
  fs::create_directories(place);
  if (::mount(type, place.c_str(), type, 0, nullptr) != 0) fail("cannot mount " + std::string(type));
}

/// Where this build is: the test program is in its tests/bin.
std::string build_directory() {
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path().parent_path().string();
}

/// All that a program needs and nothing of what the test has, below `root`.
void make_root(const std::string& root, const std::string& build, const ContainerOptions& options) {
  // In a chroot "/" may be no mount; whether mounts stay here all the same, missing_containers() has tried.
  (void)::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  fresh("tmpfs", root);
  for (const char* place : {"/usr", "/etc", "/bin", "/lib", "/lib64", "/sbin", "/sys"}) {
    if (fs::is_symlink(place))
      fs::copy_symlink(place, root + place);
    else if (fs::exists(place))
      bind_at(place, root + place);
  }
  fs::create_directories(root + "/tmp");
  fs::create_directories(root + "/proc");
  fs::create_directories(root + "/dev");
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"}) {
    std::ofstream(root + device).close();
    if (::mount(device, (root + device).c_str(), nullptr, MS_BIND, nullptr) != 0) fail(device);
  }
  if (options.memory)
    bind_at(*options.memory, root + "/dev/shm");
  else
    fresh("tmpfs", root + "/dev/shm");
  bind_at(build, root + build);
  for (const SharedDirectory& one : options.shared) bind_at(one.source, root + one.place, one.read_only);
}

// Process 1 of the new PID namespace.
int execute_inside(const std::string& root, const std::vector<std::string>& words) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  fresh("proc", root + "/proc");
  if (::chroot(root.c_str()) != 0 || ::chdir("/") != 0) fail("chroot");
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  fail(words.front());
}

std::vector<std::string> to_words(const ContainerOptions& options, const std::string& root) {
  std::vector<std::string> words{root,
                                 options.host,
                                 options.memory.value_or(""),
                                 options.root_user ? std::to_string(*options.root_user) : "",
                                 options.user_namespace ? "user_namespace" : "",
                                 std::to_string(options.shared.size())};
  for (const SharedDirectory& one : options.shared)
    words.insert(words.end(), {one.source, one.place, one.read_only ? "ro" : ""});
  return words;
}

/// The other way; `rest` is what follows.
ContainerOptions from_words(const std::vector<std::string>& words, std::vector<std::string>& rest) {
  ContainerOptions options;
  options.host = words.at(1);
  if (!words.at(2).empty()) options.memory = words[2];
  if (!words.at(3).empty()) options.root_user = static_cast<uid_t>(std::stoul(words[3]));
  options.user_namespace = !words.at(4).empty();
  const std::size_t shared = std::stoul(words.at(5));
  for (std::size_t i = 6; i < 6 + 3 * shared; i += 3)
    options.shared.push_back({words.at(i), words.at(i + 1), !words.at(i + 2).empty()});
  rest.assign(words.begin() + static_cast<std::ptrdiff_t>(6 + 3 * shared), words.end());
  return options;
}

int contain(const std::vector<std::string>& words) {
  std::vector<std::string> program;
  const ContainerOptions options = from_words(words, program);
  const std::string build = build_directory();  // looked up from here
  try {
    if (options.user_namespace) enter_user_namespace(options.root_user);
    // One whom the namespace does not map may make no files.
    if (options.user_namespace && (::setgid(0) != 0 || ::setuid(0) != 0)) fail("setuid");
    if (::unshare(kNamespaces) != 0) fail("unshare");
    make_root(words.front(), build, options);
    if (::sethostname(options.host.data(), options.host.size()) != 0) fail("sethostname");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "no container: %s\n", error.what());
    return kRefused;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // changing users takes it back
  const pid_t first = ::fork();
  if (first == 0) return execute_inside(words.front(), program);
  int status = 0;
  ::waitpid(first, &status, 0);
  // At once: a leak checker would want to look at a process that nobody may look at any more.
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

const Role contain_role("contain", contain);

/// Mounts are made upon it, in namespaces of their own: nothing is ever in it. Taken away as an empty
/// directory alone, should a mount have come through.
class MountPoint {
 public:
  MountPoint() : path_((fs::temp_directory_path() / "reel-container-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) fail("cannot make a directory to mount on");
  }
  MountPoint(const MountPoint&) = delete;
  MountPoint& operator=(const MountPoint&) = delete;
  ~MountPoint() { ::rmdir(path_.c_str()); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Takes away what was mounted here by a container and is seen outside of it; whether there was anything.
  [[nodiscard]] bool take_leak() const noexcept {
    struct stat here {
    }, around{};
    if (::stat(path_.c_str(), &here) != 0 || ::stat((path_ + "/..").c_str(), &around) != 0) return false;
    return here.st_dev != around.st_dev && ::umount2(path_.c_str(), MNT_DETACH) == 0;
  }

 private:
  std::string path_;
};

const MountPoint& mount_point() {
  static const MountPoint directory;
  return directory;
}

}  // namespace

std::string missing_containers(const ContainerOptions& options) {
  ChildProcess probe = start_contained(options, "true", {});
  const bool made = probe.wait().code == 0;
  if (mount_point().take_leak())
    return "mounts made here would be seen outside: the root is no mount point, and what is around it is "
           "shared";
  if (made) return {};
  return "this machine makes no containers (" + probe.errors() + ")";
}

ChildProcess start_contained(const ContainerOptions& options, const std::string& program,
                             const ChildProcess::Arguments& arguments,
                             const ChildProcess::Environment& environment) {
  std::vector<std::string> words = to_words(options, mount_point().path());
  words.push_back(program);
  words.insert(words.end(), arguments.begin(), arguments.end());
  return ChildProcess::role("contain", words, environment);
}

ChildProcess start_contained_role(const ContainerOptions& options, const std::string& role,
                                  const ChildProcess::Arguments& arguments,
                                  const ChildProcess::Environment& environment) {
  ChildProcess::Arguments all{"--role", role};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return start_contained(options, fs::read_symlink("/proc/self/exe").string(), all, environment);
}

pid_t container_pid(const ChildProcess& contained) {
  const std::string pid = std::to_string(contained.pid());
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  pid_t first = -1;
  children >> first;
  // Whoever asks means to signal it, and signals to 0, 1 and -1 reach others.
  if (first <= 1)
    throw std::runtime_error("the contained program has ended, or its process cannot be told from others");
  return first;
}

}  // namespace reel_test
