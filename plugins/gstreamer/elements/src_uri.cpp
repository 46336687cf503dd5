#include "src_uri.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <reel/channel/runtime_dir.hpp>
#include <reel/gst/pointers.hpp>

namespace reel::gst {
namespace {

constexpr std::array<const char*, 10> kSettings{"policy",    "start",         "verify",  "on-corrupted",
                                                "reconnect", "on-disconnect", "timeout", "max-pins",
                                                "is-live",   "reader-name"};

struct Freed {
  void operator()(GstUri* uri) const noexcept { gst_uri_unref(uri); }
  void operator()(GHashTable* table) const noexcept { g_hash_table_unref(table); }
};

struct Setting {
  std::string name;
  GValue value = G_VALUE_INIT;
};

// Unset with their owner.
struct Settings {
  Settings() = default;
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
  ~Settings() {
    for (Setting& one : all) g_value_unset(&one.value);
  }
  std::vector<Setting> all;
};

gboolean refuse(GError** error, const std::string& why) {
  g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, "%s", why.c_str());
  return FALSE;
}

// Empty when the value is fine; else what is wrong with it.
std::string read_setting(GObject* object, const std::string& name, const char* text, Settings& settings) {
  const bool known = std::any_of(kSettings.begin(), kSettings.end(), [&](auto one) { return name == one; });
  GParamSpec* spec = known ? g_object_class_find_property(G_OBJECT_GET_CLASS(object), name.c_str()) : nullptr;
  if (spec == nullptr) {
    std::string names;
    for (const char* one : kSettings) names += (names.empty() ? "" : ", ") + std::string(one);
    return "\"" + name + "\" is no setting: there are " + names;
  }
  Setting setting{name, G_VALUE_INIT};
  g_value_init(&setting.value, G_PARAM_SPEC_VALUE_TYPE(spec));
  const bool read = text != nullptr && gst_value_deserialize(&setting.value, text) != FALSE &&
                    g_param_value_validate(spec, &setting.value) == FALSE;
  settings.all.push_back(setting);
  return read ? "" : "\"" + std::string(text != nullptr ? text : "") + "\" is no value of " + name;
}

}  // namespace

std::string query_part(std::string_view uri) {
  const std::size_t mark = uri.find('?');
  return mark == std::string_view::npos ? std::string() : std::string(uri.substr(mark + 1));
}

gboolean apply_uri(GstElement* element, const gchar* text, GError** error) {
  const std::string quoted = "\"" + std::string(text) + "\"";
  const std::unique_ptr<GstUri, Freed> uri(gst_uri_from_string(text));
  const gchar* scheme = uri ? gst_uri_get_scheme(uri.get()) : nullptr;
  const gchar* stream = uri ? gst_uri_get_host(uri.get()) : nullptr;
  if (scheme == nullptr || stream == nullptr || std::string(scheme) != kUriScheme || *stream == '\0')
    return refuse(error, quoted + " names no stream: reel://STREAM or reel://STREAM?policy=lossless");
  const Text path(gst_uri_get_path(uri.get()));
  if (path && std::string(path.get()) != "/" && *path.get() != '\0')
    return refuse(error, quoted + " has a path: streams have names alone, reel://STREAM");
  if (!valid_stream_name(stream))
    return refuse(error, quoted + ": a stream's name is 1 to " + std::to_string(kMaxStreamName) +
                             " lower-case letters, digits and . _ -, beginning with a letter or digit");

  Settings settings;
  if (const std::unique_ptr<GHashTable, Freed> table(gst_uri_get_query_table(uri.get())); table) {
    GHashTableIter iterator;
    g_hash_table_iter_init(&iterator, table.get());
    for (gpointer key = nullptr, value = nullptr; g_hash_table_iter_next(&iterator, &key, &value) != FALSE;) {
      const std::string wrong = read_setting(G_OBJECT(element), static_cast<const char*>(key),
                                             static_cast<const char*>(value), settings);
      if (!wrong.empty()) return refuse(error, quoted + ": " + wrong);
    }
  }
  if (!settings.all.empty() && GST_STATE(element) > GST_STATE_READY) {
    g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
                "%s: only the stream can be changed in PAUSED and PLAYING", quoted.c_str());
    return FALSE;
  }
  for (const Setting& one : settings.all)
    g_object_set_property(G_OBJECT(element), one.name.c_str(), &one.value);
  g_object_set(element, "stream", stream, nullptr);
  return TRUE;
}

}  // namespace reel::gst
