# SPDX-License-Identifier: Apache-2.0
# Builds the pages of web/ with npm into the build folder: jw_pages(FOLDER_OUT DEPENDS_OUT). Both
# come back empty where JW_WEB is off, npm is missing or there are no pages; the program then has
# the plain page of host/http/fallback.html.
function(jw_pages folder_out depends_out)
  set(web ${PROJECT_SOURCE_DIR}/web)
  find_program(JW_NPM npm)
  if(NOT JW_WEB OR NOT JW_NPM OR NOT EXISTS ${web}/package-lock.json)
    set(${folder_out} "" PARENT_SCOPE)
    set(${depends_out} "" PARENT_SCOPE)
    return()
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${web}/src/* ${web}/public/*)
  file(GLOB configs CONFIGURE_DEPENDS ${web}/*.html ${web}/*.json ${web}/*.ts)
  set(modules ${web}/node_modules/.package-lock.json)
  set(folder ${PROJECT_BINARY_DIR}/pages)
  add_custom_command(OUTPUT ${modules}
    COMMAND ${JW_NPM} ci --no-audit --no-fund
    DEPENDS ${web}/package-lock.json WORKING_DIRECTORY ${web} VERBATIM)
  add_custom_command(OUTPUT ${folder}.stamp
    COMMAND ${JW_NPM} run build -- --outDir ${folder} --emptyOutDir
    COMMAND ${CMAKE_COMMAND} -E touch ${folder}.stamp
    DEPENDS ${modules} ${sources} ${configs} WORKING_DIRECTORY ${web} VERBATIM)
  set(${folder_out} ${folder} PARENT_SCOPE)
  set(${depends_out} ${folder}.stamp PARENT_SCOPE)
endfunction()
