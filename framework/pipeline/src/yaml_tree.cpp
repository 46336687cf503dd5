#include "yaml_tree.hpp"

#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <reel/base/error.hpp>

namespace reel {

namespace {

std::size_t count_nodes(const YamlNode& node) {
  std::size_t count = 1;
  for (const YamlNode& item : node.items) count += count_nodes(item);
  for (const YamlEntry& entry : node.entries) count += count_nodes(entry.value);
  return count;
}

// Builds the tree from yaml-cpp's events: its own Node keeps no duplicates and no lines of keys.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file, Problems& problems) : file_(file), problems_(problems) {}

  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    node.where = place(mark);
    complete(std::move(node), anchor, false);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(place(mark), "this alias (*name) stands inside its own anchor (&name)");
    count(found->second.second, place(mark));
    add(found->second.first, false);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.text = value;
    node.where = place(mark);
    complete(std::move(node), anchor, tag == "?");
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::list, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override {
    merge(open_.back());
    close();
  }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    bool has_key = false;
    std::string key, key_where;
    bool key_is_merge = false;
    std::vector<YamlNode> merges;  // values of "<<"
  };

  [[noreturn]] static void fail(std::string where, const std::string& message) {
    throw Error(ErrorCode::bad_config, message, std::move(where));
  }

  std::string place(const YAML::Mark& mark) const { return fmt::format("{}:{}", file_, mark.line + 1); }

  void count(std::size_t more, const std::string& where) {
    nodes_ += more;
    if (nodes_ > kMaxYamlNodes)
      fail(where, fmt::format("more than {} values once aliases are filled in: too large for a pipeline",
                              kMaxYamlNodes));
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    Open frame;
    frame.node.kind = kind;
    frame.node.where = place(mark);
    frame.anchor = anchor;
    if (!open_.empty() && open_.back().node.kind == YamlNode::Kind::map && !open_.back().has_key)
      fail(frame.node.where, fmt::format("a key must be a text, not {}", kind_text(kind)));
    open_.push_back(std::move(frame));
  }

  void close() {
    Open frame = std::move(open_.back());
    open_.pop_back();
    complete(std::move(frame.node), frame.anchor, false);
  }

  void complete(YamlNode node, YAML::anchor_t anchor, bool plain) {
    count(1, node.where);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = {node, count_nodes(node)};
    add(std::move(node), plain);
  }

  void add(YamlNode node, bool plain) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      take_key(parent, node, plain);
    } else {
      take_value(parent, std::move(node));
    }
  }

  void take_key(Open& parent, const YamlNode& node, bool plain) {
    if (node.kind != YamlNode::Kind::scalar)
      fail(node.where, fmt::format("a key must be a text, not {}", kind_text(node.kind)));
    parent.has_key = true;
    parent.key = node.text;
    parent.key_where = node.where;
    parent.key_is_merge = plain && node.text == "<<";
  }

  void take_value(Open& parent, YamlNode node) {
    parent.has_key = false;
    if (parent.key_is_merge) {
      parent.merges.push_back(std::move(node));
      return;
    }
    for (const YamlEntry& earlier : parent.node.entries) {
      if (earlier.key == parent.key) {
        problems_.add(parent.key_where,
                      fmt::format("'{}' stands twice in one map (first at {})", parent.key, earlier.where));
        return;
      }
    }
    parent.node.entries.push_back({std::move(parent.key), std::move(parent.key_where), std::move(node)});
  }

  // https://yaml.org/type/merge.html: keys of the map itself win, then the earlier map of a list.
  void merge(Open& frame) {
    for (const YamlNode& source : frame.merges) {
      if (source.kind == YamlNode::Kind::list) {
        for (const YamlNode& item : source.items) merge_map(frame.node, item);
      } else {
        merge_map(frame.node, source);
      }
    }
  }

  static void merge_map(YamlNode& into, const YamlNode& from) {
    if (from.kind != YamlNode::Kind::map)
      fail(from.where, fmt::format("'<<' merges a map or a list of maps, not {}", kind_text(from.kind)));
    for (const YamlEntry& entry : from.entries) {
      if (into.find(entry.key) == nullptr) into.entries.push_back(entry);
    }
  }

  const std::string& file_;
  Problems& problems_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, std::pair<YamlNode, std::size_t>> anchors_;
  std::size_t nodes_ = 0;
  YamlNode root_;
};

}  // namespace

const YamlEntry* YamlNode::find_entry(std::string_view key) const noexcept {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

const YamlNode* YamlNode::find(std::string_view key) const noexcept {
  const YamlEntry* entry = find_entry(key);
  return entry == nullptr ? nullptr : &entry->value;
}

YamlNode* YamlNode::find(std::string_view key) noexcept {
  return const_cast<YamlNode*>(std::as_const(*this).find(key));
}

std::string_view kind_text(YamlNode::Kind kind) noexcept {
  switch (kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::scalar: return "a single value";
    case YamlNode::Kind::list: return "a list";
    case YamlNode::Kind::map: return "a map";
  }
  return "nothing";
}

YamlNode parse_yaml(const std::string& text, const std::string& file, Problems& problems) {
  TreeBuilder builder(file, problems);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder))
      throw Error(ErrorCode::bad_config, "there is nothing in it", file);
    YamlNode root = builder.take();
    TreeBuilder second(file, problems);
    if (parser.HandleNextDocument(second))
      throw Error(ErrorCode::bad_config, "a second document begins: a pipeline is one", second.take().where);
    return root;
  } catch (const YAML::Exception& error) {
    const std::string where = error.mark.is_null() ? file : fmt::format("{}:{}", file, error.mark.line + 1);
    throw Error(ErrorCode::bad_config, "not YAML: " + error.msg, where);
  }
}

}  // namespace reel
