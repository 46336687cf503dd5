#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/scratch_dir.hpp>

#include <reel/base/error.hpp>
#include <reel/stage/loader.hpp>

namespace reel {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kModules = REEL_TEST_MODULES;  // where this suite's modules are built

std::string module(const std::string& name) {
  return kModules + "/" + name + ".so";
}

Error error_of(const std::string& path) {
  try {
    const Plugin plugin(path);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << path << " was loaded";
  return Error(ErrorCode::internal, "");
}

TEST(Plugin, TellsWhatItsModuleDeclares) {
  const Plugin plugin(module("test.thrower"));
  EXPECT_STREQ(plugin.descriptor().name, "test.thrower");
  ASSERT_EQ(plugin.inputs().size(), 1u);
  EXPECT_STREQ(plugin.inputs()[0].name, "in");
  ASSERT_EQ(plugin.outputs().size(), 1u);
  ASSERT_EQ(plugin.options().size(), 2u);
  EXPECT_STREQ(plugin.options()[0].name, "at");
  EXPECT_NE(plugin.create(), nullptr);
}

TEST(Plugin, IsRefusedNamingBothNumbersWhenOfAnotherAbi) {
  const Error error = error_of(module("test.wrong_abi"));
  EXPECT_EQ(error.code(), ErrorCode::version);
  EXPECT_EQ(error.where(), module("test.wrong_abi"));
  EXPECT_THAT(error.message(), AllOf(HasSubstr("ABI 999"), HasSubstr("ABI " + std::to_string(kPluginAbi))));
}

struct BadModule {
  const char* name;
  const char* says;
};
void PrintTo(const BadModule& module, std::ostream* out) {
  *out << module.name;
}

class BadPlugin : public testing::TestWithParam<BadModule> {};

TEST_P(BadPlugin, IsRefusedWithItsPathAndReason) {
  const Error error = error_of(module(GetParam().name));
  EXPECT_EQ(error.code(), ErrorCode::plugin);
  EXPECT_EQ(error.where(), module(GetParam().name));
  EXPECT_THAT(error.message(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(All, BadPlugin,
                         testing::Values(BadModule{"test.no_symbol", "no function reel_plugin()"},
                                         BadModule{"test.no_descriptor", "returned no descriptor"},
                                         BadModule{"test.entry_throws", "threw an exception"},
                                         BadModule{"test.misnamed", "calls itself \"test.another\""},
                                         BadModule{"test.two_ports", "declares the input \"in\" twice"},
                                         BadModule{"test.unresolved", "undefined symbol"}),
                         [](const auto& module) { return std::string(module.param.name).substr(5); });

TEST(Plugin, IsRefusedWhenTheFileIsNoModule) {
  const reel_test::ScratchDir scratch;
  EXPECT_EQ(error_of(scratch.write("test.text.so", "not an ELF file\n")).code(), ErrorCode::plugin);
  EXPECT_EQ(error_of(scratch.write("test.empty.so", "")).code(), ErrorCode::plugin);
  EXPECT_EQ(error_of(scratch.file("test.missing.so")).code(), ErrorCode::not_found);
}

TEST(Plugin, SaysSoWhenTheStagesConstructorFails) {
  const Plugin plugin(module("test.bad_constructor"));
  try {
    (void)plugin.create();
    FAIL() << "a stage was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::plugin);
    EXPECT_THAT(error.what(), HasSubstr("test.bad_constructor"));
  }
}

TEST(PluginDirectories, AreExtraThenThePathThenThisBuildsOwn) {
  ASSERT_EQ(::setenv("REEL_PLUGIN_PATH", "/one::/two", 1), 0);
  const std::vector<std::string> directories = plugin_directories({"/extra"});
  ASSERT_EQ(::unsetenv("REEL_PLUGIN_PATH"), 0);
  EXPECT_THAT(directories, ElementsAre("/extra", "/one", "/two", REEL_BUILT_PLUGINS));
}

TEST(ListPlugins, FindsNamesWithoutOpeningThem) {
  EXPECT_THAT(list_plugins({kModules, "/does/not/exist"}),
              AllOf(Contains("test.no_symbol"), Contains("test.thrower")));
}

TEST(LoadPlugin, TakesTheFirstDirectoryThatHasIt) {
  EXPECT_EQ(load_plugin("test.thrower", {"/does/not/exist", kModules}).path(), module("test.thrower"));
}

TEST(LoadPlugin, NamesTheNearestAndWhereItLookedWhenThereIsNone) {
  for (const char* name : {"test.throwe", "../modules/test.throwe"}) {
    try {
      (void)load_plugin(name, {kModules, "/does/not/exist"});
      FAIL() << name << " was found";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::not_found);
      EXPECT_THAT(error.message(), AllOf(HasSubstr(name), HasSubstr(kModules), HasSubstr("/does/not/exist")));
      if (*name == 't') {
        EXPECT_THAT(error.message(), HasSubstr("did you mean \"test.thrower\"?"));
      }
    }
  }
}

}  // namespace
}  // namespace reel
