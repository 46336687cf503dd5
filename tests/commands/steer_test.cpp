// The commands for running pipelines, on one that runs in this process's children.
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/wait_until.hpp>

namespace {

using reel_test::ChildProcess;
using reel_test::run_reel;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kText = R"(
version: 1
name: steered
stages:
  source: {use: synthetic.source, options: {format: NV12, width: 64, height: 48, fps: 100}, out: numbers}
  check: {use: synthetic.verify, in: numbers}
)";

class Steered : public testing::Test {
 protected:
  void SetUp() override {
    file_ = scratch_.write("steered.yaml", kText);
    reel_.emplace(ChildProcess::program(reel_test::reel_command(), {"run", file_}));
    ASSERT_TRUE(reel_test::wait_until([] {
      const auto run = run_reel({"graph"});
      return run.output.find("check") != std::string::npos && run.output.find("running") != std::string::npos;
    }));
  }
  void TearDown() override {
    EXPECT_EQ(run_reel({"stop", "steered", "--wait"}).status, 0);
    EXPECT_TRUE(reel_->wait().ok()) << reel_->errors();
  }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  reel_test::TempRuntimeDir runtime_;
  reel_test::ScratchDir scratch_;
  std::string file_;
  std::optional<ChildProcess> reel_;
};

TEST_F(Steered, TopPrintsItsTableWhereThereIsNoTerminal) {
  const auto run = run_reel({"top", "--count", "2", "--interval", "0.2", "--sort", "cpu"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("STAGE"));
  EXPECT_THAT(run.output, HasSubstr("END TO END"));
  EXPECT_THAT(run.output, HasSubstr("> numbers"));
  EXPECT_THAT(run.output, HasSubstr("< numbers"));
  EXPECT_THAT(run.output, Not(HasSubstr("\033")));
  EXPECT_NE(run.output.find("STAGE"), run.output.rfind("STAGE")) << "twice";
}

TEST_F(Steered, TopShowsItsTableInPlaceOnATerminal) {
  if (!reel_test::has_terminals()) GTEST_SKIP() << "no pseudo-terminals here: /dev/pts is not mounted";
  auto top = ChildProcess::in_terminal(reel_test::reel_command(),
                                       {"top", "--count", "3", "--interval", "0.2"}, {{"TERM", "xterm"}});
  EXPECT_TRUE(top.wait().ok()) << top.output();
  EXPECT_THAT(top.output(), HasSubstr("\033["));
  EXPECT_THAT(top.output(), HasSubstr("source"));
  EXPECT_THAT(top.output(), HasSubstr("sorted by file"));
}

TEST_F(Steered, TopShowsWhatIsBeyondTheEdgeOfANarrowTerminal) {
  if (!reel_test::has_terminals()) GTEST_SKIP() << "no pseudo-terminals here: /dev/pts is not mounted";
  auto top = ChildProcess::in_terminal(reel_test::reel_command(), {"top", "--interval", "0.2"},
                                       {{"TERM", "xterm"}}, {60, 8});
  EXPECT_TRUE(top.shows("STAGE")) << top.output();
  EXPECT_TRUE(top.shows("source")) << top.output();
  EXPECT_THAT(top.output(), Not(HasSubstr("HOP 99")));
  top.send("\033OC");  // the arrow to the right, of a terminal in the mode that curses asks for
  EXPECT_TRUE(top.shows("HOP 99")) << top.output();
  top.send("q");
  EXPECT_TRUE(top.wait().ok()) << top.output();
}

TEST_F(Steered, AStageTakenOutAndAddedAgainIsShownOnceAndWithItsRates) {
  const reel_test::ScratchDir scratch;
  std::string text = kText;
  text.replace(text.find("  source:"), 9, "  origin:");
  const std::string other = scratch.write("other.yaml", text);
  for (const std::string& next : {other, file(), other}) ASSERT_EQ(run_reel({"apply", next}).status, 0);
  ASSERT_TRUE(reel_test::wait_until([] {
    return run_reel({"graph"}).output.find("origin<br/>synthetic.source<br/>running") != std::string::npos;
  }));
  const auto graph = run_reel({"graph"});
  EXPECT_EQ(graph.output.find("[\"origin"), graph.output.rfind("[\"origin")) << graph.output;
  EXPECT_THAT(graph.output, Not(HasSubstr("source<br/>synthetic.source<br/>stopped")));
  EXPECT_THAT(graph.output, testing::ContainsRegex("numbers<br/>[1-9][0-9]*[.]"));
  const auto top = run_reel({"top", "--count", "1", "--interval", "0.5"});
  EXPECT_EQ(top.output.find("> numbers"), top.output.rfind("> numbers")) << top.output;
  EXPECT_THAT(top.output, testing::ContainsRegex("> numbers +[1-9]"));
}

TEST_F(Steered, GraphDrawsItWithItsRates) {
  const auto run = run_reel({"graph", "steered"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("flowchart LR"));
  EXPECT_THAT(run.output, testing::ContainsRegex("s0 -->.\"numbers<br/>[0-9.]+ /s\".* s1"));
}

TEST_F(Steered, LogsShowsWhatWasLogged) {
  const auto run = run_reel({"logs", "--stage", "source"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("source: running"));
  EXPECT_THAT(run.output, Not(HasSubstr("check: ")));
  const auto nobody = run_reel({"logs", "--stage", "sauce"});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_THAT(nobody.errors,
              HasSubstr("no stage \"sauce\" but reel, source or check: did you mean \"source\"?"));
}

TEST_F(Steered, RestartOfAStageThatIsNotThereNamesThoseThatAre) {
  const auto run = run_reel({"restart", "sauce"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("has no stage \"sauce\" but source or check: did you mean \"source\"?"));
  EXPECT_EQ(run_reel({"restart", "source"}).status, 0);
}

TEST_F(Steered, ApplySaysWhatItDid) {
  const auto same = run_reel({"apply", file()});
  EXPECT_EQ(same.status, 0) << same.errors;
  EXPECT_THAT(same.output, HasSubstr("steered: nothing differs"));
  const auto changed = run_reel({"apply", file(), "--set", "source.fps=50"});
  EXPECT_EQ(changed.status, 0) << changed.errors;
  EXPECT_EQ(changed.output, "source: restarted: its options changed\n");
  EXPECT_EQ(run_reel({"apply", file(), "--set", "source.fsp=50"}).status, 2);
}

TEST(SteeredNothing, SaysWhereItLooked) {
  const reel_test::TempRuntimeDir runtime;
  for (const char* command : {"stop", "logs", "top", "graph"}) {
    const auto run = run_reel({command});
    EXPECT_EQ(run.status, 1) << command;
    EXPECT_THAT(run.errors, HasSubstr("no pipeline runs (looked in " + runtime.path())) << command;
    const auto named = run_reel({command, "nobody"});
    EXPECT_EQ(named.status, 1) << command;
    EXPECT_THAT(named.errors, HasSubstr("no pipeline \"nobody\" runs")) << command;
  }
}

TEST(GraphOfAFile, IsDrawnInThreeLanguages) {
  const reel_test::ScratchDir scratch;
  const std::string file = scratch.write("steered.yaml", kText);
  const auto mermaid = run_reel({"graph", file});
  EXPECT_EQ(mermaid.status, 0) << mermaid.errors;
  EXPECT_EQ(mermaid.output,
            "---\ntitle: steered\n---\nflowchart LR\n  s0[\"source<br/>synthetic.source\"]\n"
            "  s1[\"check<br/>synthetic.verify\"]\n  s0 -->|\"numbers\"| s1\n");
  const auto dot = run_reel({"graph", file, "--format", "dot"});
  EXPECT_THAT(dot.output, HasSubstr("\"source\" -> \"check\" [label=\"numbers\"]"));
  const auto svg = run_reel({"graph", file, "--format", "svg"});
  EXPECT_EQ(svg.status, 0) << svg.errors;
  EXPECT_THAT(svg.output, HasSubstr("<svg"));
  EXPECT_THAT(svg.output, HasSubstr("synthetic.verify"));
}

}  // namespace
