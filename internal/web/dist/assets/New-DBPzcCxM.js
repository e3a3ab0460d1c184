import{F as e,M as t,N as n}from"./Time-Bu3fkeQF.js";import{c as r,g as i,j as a,o,p as s,r as c,s as l,t as u,u as d}from"./title-B-juSlSS.js";import{g as f}from"./index-D-zX6CyH.js";import{r as p,t as m}from"./Confirm-D7rt4SuY.js";import{i as h,n as g,t as _}from"./Desk-BuskSD6n.js";var v=e(n(),1);function y(e){return{name:e,file:`playbooks/${e||`new`}/playbook.yaml`,text:`apiVersion: tend/v1
kind: Playbook
metadata:
  name: ${e}
  description: What it does, in a line.
  owner: CHANGE-ME
steps:
  - id: look
    name: Look first
    uses: shell
    effect: read
    with:
      script: |
        uptime
`}}var b=t();function x(){let{event:e=``}=r(),t=f(),[n]=l(`repository`),[i]=l(`name`),o=n!==``&&!h(i),c=a(`sketchPlaybook`,{path:{event:e},query:o?{name:i}:{}},{fixed:!0,when:e!==``}),d=a(`listRepositories`,{},{keep:!0});u(o?`Write ${i}`:e?`A playbook from an event`:`A new playbook`);let p=r=>(0,b.jsx)(s,{of:d,lines:10,children:a=>{let s=a.repositories.filter(e=>t(`publish`,e.project)||t(`start`,e.project)),c=s.find(e=>e.name===n);return o&&c?(0,b.jsx)(_,{name:i,source:{base:``,file:g(c.path,r.file),first:r.text,repository:n,text:``}},`${n}/${i}`):(0,b.jsx)(S,{event:e,sketch:r,list:s})}});return e?(0,b.jsx)(s,{of:c,what:`event`,lines:10,children:p}):p(y(o?i:``))}function S({event:e,sketch:t,list:n}){let[,r]=l(`repository`),[,a]=l(`name`),[s,u]=(0,v.useState)(n[0]?.name??``),[f,g]=(0,v.useState)(t.name),_=h(f);return(0,b.jsxs)(b.Fragment,{children:[(0,b.jsxs)(`header`,{className:`head`,children:[(0,b.jsx)(`h1`,{children:e?`A playbook from an event`:`A new playbook`}),e?(0,b.jsx)(`span`,{className:`dim`,children:(0,b.jsx)(c,{to:o.event(e),children:(0,b.jsx)(i,{of:e,max:60})})}):null]}),n.length?(0,b.jsx)(`form`,{className:`panel editor-new`,onSubmit:e=>{e.preventDefault(),!_&&s&&(a(f),r(s))},"aria-label":`The new playbook`,children:(0,b.jsxs)(`div`,{className:`body confirm`,children:[(0,b.jsxs)(`p`,{children:[e?`Its labels become parameters, a trigger takes events like it, and the first steps only look. `:`It begins with a step that only looks. `,`You go on from there; nothing is live before it is reviewed and merged.`]}),(0,b.jsx)(m,{label:`Repository`,value:s,set:u,of:n.map(e=>[e.name,`${e.name}: ${e.project}${e.environment?`, ${e.environment}`:``}`])}),(0,b.jsx)(p,{label:`Name`,value:f,set:g,wrong:_,required:!0,autoFocus:!0}),(0,b.jsx)(`p`,{children:(0,b.jsx)(`button`,{type:`submit`,className:`button primary`,disabled:!!_,children:`Write it`})})]})}):(0,b.jsx)(`div`,{className:`panel`,children:(0,b.jsxs)(d,{title:`There is no repository that you could write for`,children:[`The server’s file names them under `,(0,b.jsx)(`code`,{children:`repositories`}),`.`]})})]})}export{x as default};