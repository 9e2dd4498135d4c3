// SPDX-License-Identifier: Apache-2.0
// jouleway: the gateway daemon. Reads its settings, runs one Daemon, and makes a new one on SIGHUP.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>

#include "apps/jouleway/drivers.h"
#include "apps/jouleway/program.h"
#include "host/settings.h"
#include "host/version.h"

namespace {

constexpr int failed = 1;
constexpr int settings_wrong = 2;
constexpr int usage_wrong = 2;

int check(const std::string& path) {
    const auto outcome = jw::load_settings(path, {.drivers = jw::drivers()});
    for (const jw::SettingsError& error : outcome.errors) {
        std::cerr << path << ": " << error.text() << "\n";
    }
    if (!outcome.errors.empty()) {
        return settings_wrong;
    }
    std::cout << path << " is fine: " << outcome.settings->devices.size() << " devices, "
              << outcome.settings->sinks.size() << " sinks\n";
    return 0;
}

int run(int argc, char** argv) {
    CLI::App app{"Energy gateway: reads devices, keeps every reading until it is confirmed."};
    std::string path = "/etc/jouleway/jouleway.json";
    bool schema = false;
    bool check_only = false;
    bool list_drivers = false;
    app.add_option("--config", path, "settings file")->capture_default_str();
    app.add_flag("--check-config", check_only, "say whether the settings are fine, and end");
    app.add_flag("--schema", schema, "print the JSON Schema of the settings");
    app.add_flag("--drivers", list_drivers, "print the names of the drivers");
    app.set_version_flag("--version", std::string("jouleway ") + jw::version());
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : usage_wrong;
    }
    if (schema) {
        std::cout << jw::settings_schema() << "\n";
        return 0;
    }
    if (list_drivers) {
        for (const jw::Driver* driver : jw::drivers()) {
            std::cout << driver->name << "\n";
        }
        return 0;
    }
    if (check_only) {
        return check(path);
    }
    return jw::run_program(path);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "<2>jouleway: %s\n", error.what());
        return failed;
    }
}
