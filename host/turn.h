// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tells when a turn of the loop began: Asio includes this file through its custom handler tracking
// (BOOST_ASIO_CUSTOM_HANDLER_TRACKING), and all we want of it is the moment the first handler runs
// after a wait.

namespace jw {
/// Notes the time unless the running turn has noted it already.
void note_turn();
}  // namespace jw

#define BOOST_ASIO_INHERIT_TRACKED_HANDLER
#define BOOST_ASIO_ALSO_INHERIT_TRACKED_HANDLER
#define BOOST_ASIO_HANDLER_TRACKING_INIT (void)0
#define BOOST_ASIO_HANDLER_LOCATION(location_) (void)0
#define BOOST_ASIO_HANDLER_CREATION(arguments_) (void)0
#define BOOST_ASIO_HANDLER_COMPLETION(arguments_) (void)0
#define BOOST_ASIO_HANDLER_INVOCATION_BEGIN(arguments_) ::jw::note_turn()
#define BOOST_ASIO_HANDLER_INVOCATION_END (void)0
#define BOOST_ASIO_HANDLER_OPERATION(arguments_) (void)0
#define BOOST_ASIO_HANDLER_REACTOR_REGISTRATION(arguments_) (void)0
#define BOOST_ASIO_HANDLER_REACTOR_DEREGISTRATION(arguments_) (void)0
#define BOOST_ASIO_HANDLER_REACTOR_READ_EVENT 0
#define BOOST_ASIO_HANDLER_REACTOR_WRITE_EVENT 0
#define BOOST_ASIO_HANDLER_REACTOR_ERROR_EVENT 0
#define BOOST_ASIO_HANDLER_REACTOR_EVENTS(arguments_) (void)0
#define BOOST_ASIO_HANDLER_REACTOR_OPERATION(arguments_) (void)0
