/* Small conveniences. Every page works without this file. */
(function () {
  'use strict'

  function say (text) {
    const box = document.createElement('div')
    box.className = 'v-alert v-alert--error'
    box.setAttribute('role', 'alert')
    const line = document.createElement('p')
    line.textContent = text
    box.append(line)
    document.getElementById('said').replaceChildren(box)
    box.scrollIntoView({ block: 'nearest' })
  }

  function offerCopying (root) {
    if (!navigator.clipboard) return
    root.querySelectorAll('[data-copy]').forEach(function (button) { button.hidden = false })
  }

  document.addEventListener('click', function (event) {
    const button = event.target.closest('[data-copy]')
    if (!button) return
    navigator.clipboard.writeText(button.previousElementSibling.textContent).then(
      function () { button.textContent = 'Copied' },
      function () { say('Copying did not work. Select the text instead.') }
    )
  })

  document.addEventListener('allauth.error', function (event) {
    const cancelled = event.detail.exception && event.detail.exception.name === 'NotAllowedError'
    say(cancelled
      ? 'No passkey was used: the request was cancelled or timed out. Nothing was changed; try again.'
      : 'The passkey did not work on this device. Nothing was changed; try again or sign in with your password.')
  })

  document.addEventListener('htmx:responseError', function () {
    say('The server could not do that. Nothing was changed; reload the page and try again.')
  })
  document.addEventListener('htmx:sendError', function () {
    say('The server did not answer. Nothing was changed; try again in a moment.')
  })
  document.addEventListener('htmx:load', function (event) { offerCopying(event.detail.elt) })
  document.addEventListener('DOMContentLoaded', function () { offerCopying(document) })
})()
