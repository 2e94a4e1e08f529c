# cpack runs this script for the folder that becomes the package: it adds the files that `cmake --install` does not write.
set(package ${CMAKE_CURRENT_LIST_DIR})
get_filename_component(source ${package}/../.. ABSOLUTE)
set(root ${CPACK_TEMPORARY_DIRECTORY})
set(stage ${root}/usr)

# The config for the unit: the password comes as a credential, and the state directory is in /var/lib.
file(READ ${source}/config/otterbeat.cfg config)
string(REPLACE "otterbeat.cfg.example" "/usr/share/doc/otterbeat/examples/otterbeat.cfg.example" config "${config}")
string(REPLACE "\"\${STATE_DIRECTORY:-./state}\"" "\"\${STATE_DIRECTORY:-/var/lib/otterbeat}\"" config "${config}")
string(REPLACE "password = \"\${OTTERBEAT_PASSWORD:-}\"" "password_file = \"\${CREDENTIALS_DIRECTORY:-/etc/otterbeat}/password\"" config "${config}")
string(REPLACE " In place of `password`, password_file = \"PATH\" names a file with the password." "" config "${config}")
if(config MATCHES "OTTERBEAT_PASSWORD" OR NOT config MATCHES "CREDENTIALS_DIRECTORY" OR NOT config MATCHES "var/lib/otterbeat")
        message(FATAL_ERROR "config/otterbeat.cfg has changed: see ${CMAKE_CURRENT_LIST_FILE}")
endif()
file(WRITE ${root}/etc/otterbeat/otterbeat.cfg "${config}")
file(MAKE_DIRECTORY ${root}/etc/logrotate.d)
configure_file(${package}/logrotate ${root}/etc/logrotate.d/otterbeat COPYONLY)
configure_file(${package}/copyright ${stage}/share/doc/otterbeat/copyright COPYONLY)
configure_file(${source}/CHANGELOG.md ${stage}/share/doc/otterbeat/changelog COPYONLY)
if(CPACK_GENERATOR STREQUAL "DEB")
        # Files that Debian requires. The overrides: no bug report asked for this package, and only systemd starts the agent.
        string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
        file(WRITE ${stage}/share/doc/otterbeat/changelog.Debian
                "otterbeat (${CPACK_PACKAGE_VERSION}-1) stable; urgency=medium\n\n  * See changelog.gz.\n\n"
                " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
        file(WRITE ${stage}/share/lintian/overrides/otterbeat "otterbeat: initial-upload-closes-no-bugs\n"
                "otterbeat: package-supports-alternative-init-but-no-init.d-script\n")
        execute_process(COMMAND gzip -9n ${stage}/share/doc/otterbeat/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
endif()
execute_process(COMMAND gzip -9nf ${stage}/share/doc/otterbeat/changelog ${stage}/share/man/man1/otterbeat.1
        ${stage}/share/man/man5/otterbeat.cfg.5
        COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CPACK_OTTERBEAT_STRIP} --remove-section=.comment --remove-section=.note ${stage}/bin/otterbeat COMMAND_ERROR_IS_FATAL ANY)
# The rights of the files must not depend on the umask.
set(readable OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
set(executable ${readable} OWNER_EXECUTE GROUP_EXECUTE WORLD_EXECUTE)
file(CHMOD_RECURSE ${root} FILE_PERMISSIONS ${readable} DIRECTORY_PERMISSIONS ${executable})
file(CHMOD ${stage}/bin/otterbeat PERMISSIONS ${executable})
