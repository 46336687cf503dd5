// What `reel doctor` tells to type is typed, as it stands, and the thing is fine afterwards: on this machine,
// and in containers that are made worse.
#include <optional>
#include <string>

#include <unistd.h>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/container.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>

namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// A shell's: makes the machine worse, asks the doctor, types what it says of `thing`, asks again. Nothing is
/// typed where it could not be made worse.
std::string script(const std::string& worse, const std::string& thing) {
  return "{ " + worse + "; } || exit 98\nsaid=$(" + reel_test::reel_command() + " doctor)\n" +
         "fix=$(printf '%s\\n' \"$said\" | sed -n '/^[a-z]*  *" + thing +
         "  /{n;s/^ *-> //p;}' | head -n 1)\n" + "printf '%s\\n' \"$said\" | sed -n 's/^\\([a-z]*  *" +
         thing + "  \\)/before: \\1/p'\n" + "echo \"typed: $fix\"\n" + "eval \"$fix\" || exit 99\n" +
         reel_test::reel_command() + " doctor | sed -n 's/^\\([a-z]*  *" + thing +
         "  \\)/after: \\1/p'\nexit 0\n";
}

class DoctorFixes : public testing::Test {
 protected:
  /// What the shell said; typed on this machine.
  std::string typed_here(const std::string& worse, const std::string& thing) {
    // Places that its fixes make are the test's.
    auto shell =
        reel_test::ChildProcess::program("sh", {"-c", script(worse, thing)}, {{"TMPDIR", scratch_.path()}});
    EXPECT_EQ(shell.wait().code, 0) << shell.output() << shell.errors();
    return shell.output();
  }
  /// The same in a container; nullopt where there are none.
  std::optional<std::string> typed_inside(const std::string& worse, const std::string& thing) {
    options_.shared = {{scratch_.path(), "/srv/test"}};
    options_.user_namespace = reel_test::missing_containers().empty();
    missing_ = options_.user_namespace ? "" : reel_test::missing_containers(options_);
    if (!missing_.empty()) return std::nullopt;
    auto shell =
        reel_test::start_contained(options_, "sh", {"-c", script(worse, thing)}, {{"REEL_RUNTIME_DIR", ""}});
    EXPECT_EQ(shell.wait().code, 0) << shell.output() << shell.errors();
    return shell.output();
  }
  [[nodiscard]] const reel_test::ScratchDir& scratch() const { return scratch_; }
  [[nodiscard]] const std::string& missing() const { return missing_; }
  reel_test::ContainerOptions& container() { return options_; }

 private:
  reel_test::TempRuntimeDir runtime_;
  reel_test::ScratchDir scratch_;
  reel_test::ContainerOptions options_;
  std::string missing_;
};

TEST_F(DoctorFixes, LimitsOfAShellAreRaised) {
  const std::string files = typed_here("ulimit -S -n 100", "descriptors");
  EXPECT_THAT(files, HasSubstr("before: lacking  descriptors"));
  EXPECT_THAT(files, HasSubstr("typed: ulimit -n 1024\n"));
  EXPECT_THAT(files, Not(HasSubstr("after:")));
#if !defined(__SANITIZE_ADDRESS__)  // which takes all the address space there is
  const std::string space = typed_here("ulimit -S -v 8000000", "address space");
  EXPECT_THAT(space, HasSubstr("before: lacking  address space"));
  EXPECT_THAT(space, HasSubstr("typed: ulimit -v unlimited\n"));
  EXPECT_THAT(space, Not(HasSubstr("after:")));
#endif
}

TEST_F(DoctorFixes, ARuntimeDirectoryIsMade) {
  const std::string open = "mkdir " + scratch().file("open") + "; chmod 0777 " + scratch().file("open") +
                           "; export REEL_RUNTIME_DIR=" + scratch().file("open");
  for (const std::string& worse : {open, std::string("export REEL_RUNTIME_DIR=relative")}) {
    const std::string said = typed_here(worse, "runtime directory");
    EXPECT_THAT(said, HasSubstr("before: fault    runtime directory")) << worse;
    EXPECT_THAT(said, HasSubstr("after: fine     runtime directory")) << worse;
    EXPECT_THAT(said, HasSubstr(scratch().path() + "/tmp.")) << worse;
  }
}

TEST_F(DoctorFixes, NamedMemoryIsMounted) {
  constexpr const char* kThing = "/dev/shm";
  const std::string thing = "\\/dev\\/shm";
  for (const std::string worse :
       {"umount /dev/shm && rmdir /dev/shm", "mount -o remount,size=64M /dev/shm"}) {
    const auto said = typed_inside(worse, thing);
    if (!said) GTEST_SKIP() << missing();
    EXPECT_THAT(*said, HasSubstr(std::string("before: lacking  ") + kThing)) << worse;
    EXPECT_THAT(*said, HasSubstr(std::string("after: fine     ") + kThing)) << worse;
  }
}

TEST_F(DoctorFixes, NamedMemoryOnADiskIsNamed) {
  const std::string disk = scratch().file("disk");
  scratch().write("disk/file", "");
  container().memory = disk;
  const auto said = typed_inside("true", "\\/dev\\/shm");
  if (!said) GTEST_SKIP() << missing();
  if (said->find("before: fine") != std::string::npos) GTEST_SKIP() << "the test's files are on a tmpfs";
  EXPECT_THAT(*said, HasSubstr("is no tmpfs"));
  EXPECT_THAT(*said, HasSubstr("after: fine     /dev/shm"));
}

TEST_F(DoctorFixes, ProcIsMounted) {
  const auto said = typed_inside("umount /proc", "\\/proc");
  if (!said) GTEST_SKIP() << missing();
  EXPECT_THAT(*said, HasSubstr("before: lacking  /proc"));
  EXPECT_THAT(*said, HasSubstr("typed: mount -t proc proc /proc\n"));
  EXPECT_THAT(*said, Not(HasSubstr("after:")));
}

TEST_F(DoctorFixes, HugePagesAreAllowed) {
  const std::string setting = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
  if (::access(setting.c_str(), F_OK) != 0)
    GTEST_SKIP() << setting << " is not here: /sys is not mounted, or the kernel has none";
  scratch().write("denied", "always within_size advise never [deny] force\n");
  const auto said = typed_inside("mount --bind /srv/test/denied " + setting, "huge pages");
  if (!said) GTEST_SKIP() << missing();
  EXPECT_THAT(*said, HasSubstr("before: lacking  huge pages"));
  EXPECT_THAT(*said, HasSubstr("typed: echo never | tee " + setting));
  EXPECT_THAT(*said, Not(ContainsRegex("after: .*denied")));
}

TEST_F(DoctorFixes, APluginWhoseLibraryIsNotThereNamesItsPackage) {
  auto doctor = reel_test::ChildProcess::program(reel_test::reel_command(), {"doctor"},
                                                 {{"REEL_PLUGIN_PATH", REEL_TEST_LACKING_PLUGINS}});
  EXPECT_EQ(doctor.wait().code, 0) << doctor.output();
  EXPECT_THAT(doctor.output(),
              ContainsRegex("lacking +plugin opencv.lacks-library .*libreel_test_Absent\\.so\\.3"));
  EXPECT_THAT(doctor.output(), HasSubstr("apt-get install -y libreel-test-absent3\n"));
}

}  // namespace
