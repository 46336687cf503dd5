#include <algorithm>

#include <gmock/gmock.h>
#include <reel_test/run_reel.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>

namespace {

using reel_test::run_reel;
using testing::HasSubstr;

TEST(Plugins, ListsThemWithASummary) {
  const auto run = run_reel({"plugins"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("synthetic.source"));
  EXPECT_THAT(run.output, HasSubstr("synthetic.verify"));
}

TEST(Plugins, GivesEveryOptionWithTypeDefaultAndMeaning) {
  const auto run = run_reel({"plugins", "synthetic.source", "--json"});
  ASSERT_EQ(run.status, 0) << run.errors;
  const nlohmann::json plugin = run.json();
  EXPECT_EQ(plugin.at("name"), "synthetic.source");
  EXPECT_EQ(plugin.at("inputs"), nlohmann::json::array());
  ASSERT_FALSE(plugin.at("outputs").empty());
  const nlohmann::json& options = plugin.at("options");
  const auto width = std::find_if(options.begin(), options.end(),
                                  [](const nlohmann::json& option) { return option.at("name") == "width"; });
  ASSERT_NE(width, options.end());
  EXPECT_EQ(width->at("type"), "integer");
  EXPECT_TRUE(width->at("default").is_string());
  EXPECT_FALSE(width->at("help").get<std::string>().empty());
}

TEST(Plugins, ShowsOneForPeople) {
  const auto run = run_reel({"plugins", "synthetic.source"});
  ASSERT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("Options"));
  EXPECT_THAT(run.output, HasSubstr("width"));
  EXPECT_THAT(run.output, HasSubstr("MEANING"));
}

TEST(Plugins, EndsWithStatusTwoAndTheNearestNameForOneThereIsNot) {
  const auto run = run_reel({"plugins", "synthetic.sorce"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("synthetic.source"));
}

TEST(Plugins, MakeANewOneWhateverItsNameHasOfTheTemplates) {
  const reel_test::ScratchDir scratch;
  const auto made = run_reel({"plugins", "acme.my_filter", "--new", scratch.path() + "/a b"});
  ASSERT_EQ(made.status, 0) << made.errors;
  EXPECT_THAT(made.output, HasSubstr("cmake -S '" + scratch.path() + "/a b' -B '"))
      << "as a shell reads it back";
  EXPECT_THAT(scratch.read("a b/acme_my_filter.cpp"),
              HasSubstr("REEL_STAGE(AcmeMyFilter, \"acme.my_filter\","));
  EXPECT_THAT(scratch.read("a b/CMakeLists.txt"),
              HasSubstr("reel_plugin(acme.my_filter SOURCES acme_my_filter.cpp)"));
}

}  // namespace
