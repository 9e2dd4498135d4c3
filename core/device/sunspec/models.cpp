// SPDX-License-Identifier: Apache-2.0
// Finds SunSpec models by their number.
#include "core/device/sunspec/models.h"

#include "core/device/sunspec/model_table.h"

namespace jw::sunspec {

std::span<const Model> models() {
    return model_table;
}

const Model* model_of(std::uint16_t id) {
    for (const Model& model : model_table) {
        if (model.id == id) {
            return &model;
        }
    }
    return nullptr;
}

}  // namespace jw::sunspec
