# Files that only a .deb has: copyright and changelog in Debian's places. Run by cpack on the files to be packed.
if(CPACK_GENERATOR STREQUAL "DEB")
  set(folder ${CPACK_TEMPORARY_DIRECTORY}/usr/share/doc/topod)
  file(COPY ${CMAKE_CURRENT_LIST_DIR}/copyright DESTINATION ${folder})
  file(COPY ${CMAKE_CURRENT_LIST_DIR}/README.Debian DESTINATION ${folder})
  file(COPY ${CMAKE_CURRENT_LIST_DIR}/lintian-overrides DESTINATION ${CPACK_TEMPORARY_DIRECTORY}/usr/share/lintian/overrides)
  file(RENAME ${CPACK_TEMPORARY_DIRECTORY}/usr/share/lintian/overrides/lintian-overrides
    ${CPACK_TEMPORARY_DIRECTORY}/usr/share/lintian/overrides/topod)
  execute_process(COMMAND gzip -9nc ${CMAKE_CURRENT_LIST_DIR}/changelog OUTPUT_FILE ${folder}/changelog.Debian.gz
    COMMAND_ERROR_IS_FATAL ANY)
endif()
